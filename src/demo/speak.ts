import type { Answer } from './answer.ts';

/** A piece of an answer, in the order it is sent. `index` counts the calls of the answer. */
export type Delta =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'call'; readonly index: number; readonly name: string }
  | { readonly type: 'arguments'; readonly index: number; readonly text: string };

export interface Speech {
  readonly deltas: readonly Delta[];
  readonly finishReason: 'stop' | 'tool_calls' | 'length';
  /** A word of text is one token, and so is a fragment of arguments. */
  readonly tokens: number;
}

/** Cuts an answer into words and stops it after `limit` tokens. */
export function speak(answer: Answer, limit: number): Speech {
  const deltas: Delta[] = [];
  let tokens = 0;
  for (const delta of deltasOf(answer)) {
    if (tokens === limit) return { deltas, finishReason: 'length', tokens };
    if (delta.type !== 'call') tokens += 1;
    deltas.push(delta);
  }
  return { deltas, finishReason: answer.type === 'text' ? 'stop' : 'tool_calls', tokens };
}

function deltasOf(answer: Answer): readonly Delta[] {
  if (answer.type === 'text') return split(answer.text, WORDS).map((text) => ({ type: 'text', text }));
  return answer.calls.flatMap((call, index): Delta[] => [
    { type: 'call', index, name: call.name },
    ...split(call.arguments, FRAGMENTS).map((text): Delta => ({ type: 'arguments', index, text })),
  ]);
}

/** Before the white space that leads to the next word. */
const WORDS = /(?<=\S)(?=\s+\S)/;
/** Also after the punctuation of JSON. */
const FRAGMENTS = /(?<=[{[:,])|(?<=\S)(?=\s+\S)/;

const split = (text: string, where: RegExp) => text.split(where).filter((piece) => piece !== '');
