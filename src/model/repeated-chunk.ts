import type { ModelPart } from './model-client.ts';

/** A text in a chunk: where it stands there, and what it is for. */
export interface ChunkText {
  readonly key: string;
  readonly text: string;
  readonly type: 'text' | 'reasoning';
}

/** After so many chunks that did not repeat the one before, no more are learnt: some servers never send two alike. */
const MAX_MISSES = 16;

/** What JSON has between quotes as it stands. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these JSON does not allow there
const PLAIN = /^[^"\\\u0000-\u001f]+$/;

/**
 * Recognises chunks that say again, byte for byte, what the last one said, but for one text: as most of a stream do.
 * Those need not be parsed. What stands around the text is remembered only if the text is sure to be what its key, of
 * which there is no other, names: then a chunk with another text there means the same with that text.
 */
export class RepeatedChunk {
  private head = '';
  private tail = '';
  private type: ChunkText['type'] | null = null;
  private misses = 0;

  /** All that a chunk says; null if it is not the last one learnt with another text, or its text has to be parsed. */
  read(json: string): ModelPart | null {
    const { head, tail, type } = this;
    if (type === null || json.length <= head.length + tail.length) return null;
    if (!json.startsWith(head) || !json.endsWith(tail)) return null;
    const text = json.slice(head.length, json.length - tail.length);
    if (!PLAIN.test(text)) return null;
    this.misses = 0;
    return type === 'text' ? { type, text, logprobs: null } : { type, text, encrypted: null };
  }

  /** Remembers a chunk that says nothing but this text, and changes nothing else if it is read again. */
  learn(json: string, { key, text, type }: ChunkText): void {
    if (this.misses > MAX_MISSES || !PLAIN.test(text)) return;
    this.misses++;
    this.type = null;
    const name = `"${key}"`;
    const at = json.indexOf(name);
    if (at < 0 || json.indexOf(name, at + 1) >= 0) return;
    const colon = json.slice(at + name.length).match(/^\s*:\s*"/)?.[0];
    if (colon === undefined) return;
    const begin = at + name.length + colon.length;
    if (!json.startsWith(`${text}"`, begin)) return;
    this.head = json.slice(0, begin);
    this.tail = json.slice(begin + text.length);
    // With an escape before or behind it, the key that counts might be written in another way.
    if (!this.head.includes('\\') && !this.tail.includes('\\')) this.type = type;
  }
}
