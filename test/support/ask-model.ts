import { inspect } from 'node:util';
import { expect } from 'vitest';
import { createChatClient } from '../../src/model/chat-client.ts';
import type { ModelPart } from '../../src/model/model-client.ts';
import { chunk, DONE, sse } from './chat-server.ts';
import { modelRequest } from './model-request.ts';

export const KEY = 'key-of-this-test';

export const clientFor = ({ baseUrl }: { readonly baseUrl: string }, idleTimeoutMs = 5000) =>
  createChatClient({ baseUrl, apiKey: KEY, idleTimeoutMs });

type Client = ReturnType<typeof createChatClient>;

/** For a call that nobody aborts. */
export const NEVER = new AbortController().signal;

/** The text of a whole call. */
export async function ask(client: Client, signal = NEVER): Promise<string> {
  const parts: ModelPart[] = [];
  await client.stream(
    modelRequest(),
    (batch) => {
      parts.push(...batch);
      return null;
    },
    signal,
  );
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** What a call fails with. Nothing in it tells the key. */
export async function failure(call: Promise<unknown>): Promise<Error> {
  const error = await call.then(
    () => new Error('It did not fail.'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error('That is no error.');
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(KEY);
  return error;
}

/** The head of an answer that is a stream, to the byte. */
export const HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const inChunks = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n0\r\n\r\n`;
/** A whole answer that says "fine". */
export const WHOLE = HEAD + inChunks(sse(chunk({ content: 'fine' }), chunk({}, 'stop')) + DONE);
