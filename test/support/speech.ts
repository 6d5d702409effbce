import { type Answer, feed } from './chat-server.ts';

/** A model that speaks as fast as it is heard. */
export interface Speech {
  readonly answer: Answer;
  /** Tells it how many of its words have been heard, all in all. */
  heard(words: number): void;
  /** Resolves when it has said everything. */
  readonly over: Promise<void>;
}

export interface SpeechOptions {
  readonly words: readonly string[];
  /** It says so many at once, and goes on when all but `ahead` of them have been heard. */
  readonly atOnce: number;
  readonly ahead: number;
  /** Called each time before it goes on. */
  readonly onBreath: () => void;
}

/** Whoever listens is never far behind, so that all of it is heard live. */
export function createSpeech({ words, atOnce, ahead, onBreath }: SpeechOptions): Speech {
  const { answer, say, end } = feed();
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let said = 0;
  let saying = Promise.resolve();
  const heard = (count: number) => {
    if (count < said - ahead || said === words.length) return;
    onBreath();
    const next = words.slice(said, said + atOnce);
    said += next.length;
    saying = saying.then(() => say(...next));
    if (said === words.length) resolve(saying.then(() => end()));
  };
  heard(0);
  return { answer, heard, over };
}
