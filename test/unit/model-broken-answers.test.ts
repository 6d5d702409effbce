import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ask, clientFor, failure, HEAD } from '../support/ask-model.ts';
import { type Answer, chunk, json, sse, startChatServer } from '../support/chat-server.ts';
import { startUpstreamSockets } from '../support/upstream-sockets.ts';

// At once: a failed call is tried again after a while, and all of them wait.

test.concurrent('a redirect without end fails', async () => {
  const again: Answer = (exchange) => json(307, '', { location: '/v1/chat/completions' })(exchange);
  await using upstream = await startChatServer(again);
  const error = await failure(ask(clientFor(upstream)));
  expect(error.message).toMatch(/\w/);
  expect(upstream.exchanges.length).toBeLessThan(20);
});

test.concurrent('an answer that is compressed although nobody asked for that fails in words that say so', async () => {
  const body = gzipSync(sse(chunk({ content: 'packed' }), chunk({}, 'stop')));
  await using upstream = await startChatServer(({ answer, request }) => {
    expect(request.headers['accept-encoding']).toBe('identity');
    answer.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
    answer.end(body);
  });
  const error = await failure(ask(clientFor(upstream)));
  expect(error.message).toContain('The answer is encoded as "gzip", which was not asked for.');
});

test.concurrent.each([
  ['is cut before the head', '', /failed/],
  ['is cut in the head', 'HTTP/1.1 200 OK\r\ncontent-', /failed/],
  ['is cut in a chunk', `${HEAD}ff\r\ndata: {"choices"`, /failed/],
  ['is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', /failed/],
])('an answer that %s fails, without a word of the key', async (_, bytes, message) => {
  await using upstream = await startUpstreamSockets();
  const call = failure(ask(clientFor(upstream)));
  let isOver = false;
  void call.finally(() => {
    isOver = true;
  });
  for (let count = 1; count <= 3 && !isOver; count++) {
    const next = upstream.connection(count).then(async ({ asked, socket }) => {
      await asked(1);
      socket.end(bytes);
    });
    await Promise.race([next, call]);
  }
  expect((await call).message).toMatch(message);
});
