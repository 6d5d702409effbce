import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { startBehindProxy } from '../support/behind-proxy.ts';
import { chunk, feed, sse } from '../support/chat-server.ts';
import { watchFollowers } from '../support/followers.ts';
import { createResponse } from '../support/graphql.ts';
import { textOf } from '../support/stream.ts';
import { subscribe } from '../support/subscribe.ts';
import { seemingLoad } from '../support/watch-runs.ts';

/** So much says a chunk beside its word: more than the buffers between two ends of a connection hold. */
const PADDING = 'x'.repeat(6000);

test('while the database is away the model is not read on, whatever is held, and what it said comes whole', async () => {
  using _ = seemingLoad('high');
  await using setting = await startBehindProxy();
  const { app, proxy } = setting;
  using followers = watchFollowers();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  const query = `subscription ($id: ID!) {
      responseStream(id: $id) { __typename ... on OutputTextDeltaEvent { delta } }
    }`;
  const live = Array.fromAsync(subscribe(app, { query, variables: { id } }, 'WebSocket'));
  await vi.waitUntil(() => followers.count === 1, { interval: 5 });
  const exchange = await upstream.open;
  await upstream.say('before ');
  await proxy.goAway();
  const words = Array.from({ length: 8000 }, (_each, word) => `${word}${'y'.repeat(600)} `);
  let said = 0;
  const saying = (async () => {
    for (; said < words.length; said += 100) {
      const chunks = words
        .slice(said, said + 100)
        .map((content) => chunk({ content }, null, { padding: PADDING }));
      if (!exchange.answer.write(sse(...chunks))) await once(exchange.answer, 'drain');
    }
  })();
  // It has come to a stop when nothing leaves any more, for far longer than reading a block takes.
  let before = -1;
  await vi.waitUntil(
    () => {
      const isStill = said === before;
      before = said;
      return isStill;
    },
    { timeout: 10_000, interval: 300 },
  );
  expect(said).toBeLessThan(words.length / 2); // what has left is in the buffers of two sockets, and a little with us
  await proxy.comeBack();
  await saying;
  await upstream.end();
  const events = (await live).map(({ data }) => data.responseStream);
  expect(textOf(events) === `before ${words.join('')}`).toBe(true);
  expect(events.at(-1).__typename).toBe('ResponseCompletedEvent');
}, 30_000);
