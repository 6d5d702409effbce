import { expect, test } from 'vitest';
import { createChatClient } from '../../src/model/chat-client.ts';
import { clean } from '../../src/model/chat-errors.ts';
import { json, openStream, sse, startChatServer, write } from '../support/chat-server.ts';
import { modelRequest } from '../support/model-request.ts';

const KEY = 'the-key-of-this-test-0123456789';

async function failureOf(answer: Parameters<Awaited<ReturnType<typeof startChatServer>>['enqueue']>[0]) {
  await using upstream = await startChatServer();
  upstream.enqueue(answer);
  const client = createChatClient({ baseUrl: upstream.baseUrl, apiKey: KEY, idleTimeoutMs: 5000 });
  const reading = client.stream(modelRequest(), () => null, new AbortController().signal);
  return await reading.then(
    () => '',
    (error: Error) => error.message,
  );
}

test.each([450, 480, 490, 499, 500, 520])(
  'a key %i characters into an error is not shown, not even a part',
  async (at) => {
    const message = `${'x'.repeat(at)}${KEY} and more`;
    const inStream = await failureOf(async (exchange) => {
      openStream(exchange);
      await write(exchange, sse({ error: { message, code: 400 } }));
      exchange.answer.end();
    });
    for (const shown of [inStream, await failureOf(json(400, { error: { message } }))]) {
      expect(shown.slice(0, 400)).toBe('x'.repeat(400));
      expect(shown.length).toBeLessThanOrEqual(500);
      expect(shown).not.toContain(KEY.slice(0, 6));
    }
  },
);

test('bearer tokens and keys of the usual form are not shown, whoever they belong to', () => {
  expect(
    clean('Authorization: Bearer abcdefgh12345678 failed for sk-proj-abcdefghijklmnop', (text) => text),
  ).toBe('Authorization: Bearer [redacted] failed for [redacted]');
});
