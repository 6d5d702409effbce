import { randomBytes } from 'node:crypto';
import { type ChatRequest, countWords, textOf } from './chat-request.ts';
import type { Speech } from './speak.ts';

/** One answer with all that its wire forms share. */
export interface Completion {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly speech: Speech;
  /** One for each call of the speech. */
  readonly callIds: readonly string[];
  readonly usage: Usage;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export function newCompletion(request: ChatRequest, speech: Speech): Completion {
  const prompt = request.messages.reduce((sum, message) => sum + countWords(textOf(message)), 0);
  const calls = speech.deltas.filter((delta) => delta.type === 'call');
  return {
    id: `chatcmpl-${randomBytes(12).toString('hex')}`,
    created: Math.floor(Date.now() / 1000),
    model: request.model,
    speech,
    callIds: calls.map(() => `call_${randomBytes(12).toString('hex')}`),
    usage: {
      prompt_tokens: prompt,
      completion_tokens: speech.tokens,
      total_tokens: prompt + speech.tokens,
    },
  };
}

/** The answer to a request that does not stream. */
export function toChatCompletion({ speech, callIds, usage, ...completion }: Completion) {
  const text: string[] = [];
  const calls = callIds.map((id) => ({ id, type: 'function', function: { name: '', arguments: '' } }));
  for (const delta of speech.deltas) {
    if (delta.type === 'text') {
      text.push(delta.text);
      continue;
    }
    const call = calls[delta.index];
    if (call === undefined) continue;
    if (delta.type === 'call') call.function.name = delta.name;
    else call.function.arguments += delta.text;
  }
  const message = {
    role: 'assistant',
    content: calls.length > 0 ? null : text.join(''),
    refusal: null,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  return {
    ...completion,
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason: speech.finishReason }],
    usage,
  };
}
