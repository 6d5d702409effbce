import { createChatClient } from '../../src/model/chat-client.ts';
import { ModelError, type ModelPart } from '../../src/model/model-client.ts';
import { type Answer, startChatServer } from './chat-server.ts';
import { modelRequest } from './model-request.ts';

/** Plays an answer to the model client over HTTP and sums up what it heard. Calls are `[id, name, arguments]`. */
export async function play(answer: Answer) {
  await using upstream = await startChatServer();
  upstream.enqueue(answer, answer, answer);
  const client = createChatClient({
    baseUrl: upstream.baseUrl,
    apiKey: 'key-of-this-test',
    idleTimeoutMs: 5000,
  });
  const parts: ModelPart[] = [];
  const take = (batch: readonly ModelPart[]) => {
    parts.push(...batch);
    return null;
  };
  let error: ModelError | null = null;
  try {
    await client.stream(modelRequest(), take, new AbortController().signal);
  } catch (thrown) {
    if (!(thrown instanceof ModelError)) throw thrown;
    error = thrown;
  }
  const calls: [string | null, string, string][] = [];
  for (const part of parts) {
    if (part.type === 'call') calls[part.call] = [part.callId, part.name, ''];
    const call = part.type === 'arguments' ? calls[part.call] : undefined;
    if (part.type === 'arguments' && call !== undefined) call[2] += part.delta;
  }
  const joined = (type: 'text' | 'reasoning' | 'refusal') =>
    parts.map((part) => (part.type === type ? part.text : '')).join('');
  return {
    text: joined('text'),
    reasoning: joined('reasoning'),
    encrypted: parts.flatMap((part) => (part.type === 'reasoning' ? (part.encrypted ?? []) : [])),
    refusal: joined('refusal'),
    calls,
    usage: parts.find((part) => part.type === 'usage')?.usage ?? null,
    finish: parts.find((part) => part.type === 'finish')?.reason ?? null,
    error,
  };
}
