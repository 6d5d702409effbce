import { setTimeout } from 'node:timers/promises';
import type { Completion } from './completion.ts';
import type { Delta } from './speak.ts';

export interface StreamOptions {
  readonly includeUsage: boolean;
  readonly wordDelayMs: number;
  /** Ends the wait for the next word. */
  readonly signal: AbortSignal;
}

/** The answer to a request that streams, as server-sent events: one chunk a word, `wordDelayMs` between them. */
export async function* streamAnswer(completion: Completion, options: StreamOptions): AsyncGenerator<string> {
  const { speech, callIds, usage, ...shared } = completion;
  const base = { ...shared, object: 'chat.completion.chunk' };
  // OpenAI's chunks carry a null for the usage that only the last one tells.
  const untold = options.includeUsage ? { usage: null } : {};
  const chunk = (delta: object, finishReason: string | null) =>
    event({
      ...base,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...untold,
    });

  yield chunk({ role: 'assistant', content: callIds.length > 0 ? null : '', refusal: null }, null);
  for (const [position, delta] of speech.deltas.entries()) {
    if (position > 0 && options.wordDelayMs > 0) {
      await setTimeout(options.wordDelayMs, undefined, { signal: options.signal });
    }
    yield chunk(toWireDelta(delta, callIds), null);
  }
  yield chunk({}, speech.finishReason);
  if (options.includeUsage) yield event({ ...base, choices: [], usage });
  yield 'data: [DONE]\n\n';
}

const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;

function toWireDelta(delta: Delta, callIds: readonly string[]): object {
  switch (delta.type) {
    case 'text':
      return { content: delta.text };
    case 'call': {
      const { index, name } = delta;
      const call = { index, id: callIds[index], type: 'function', function: { name, arguments: '' } };
      return { tool_calls: [call] };
    }
    case 'arguments':
      return { tool_calls: [{ index: delta.index, function: { arguments: delta.text } }] };
    default:
      return delta satisfies never;
  }
}
