import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startBareFollower } from '../support/bare-follower.ts';
import { feed } from '../support/chat-server.ts';
import { watchFollowers } from '../support/followers.ts';
import { createResponse } from '../support/graphql.ts';
import { openSocket } from '../support/raw-socket.ts';
import { collect, TRANSPORTS, textOf } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

/** While a client is stuck the model says nothing. */
const LONG_SILENCE = { config: { modelIdleTimeoutMs: 60_000 } };

const PATIENCE = { timeout: 30_000, interval: 5 };

/** More than fits into what lies between two ends of a connection, and into what is kept for a follower. */
const WORDS = Array.from({ length: 4000 }, () => `${'x'.repeat(4000)} `);
const TEXT = WORDS.join('');

async function started(app: TestApp) {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  return { id: id as string, upstream };
}

test.each(TRANSPORTS)(
  'a %s client that reads nothing is cut, and others are unhurt',
  async (transport) => {
    await using app = await startTestApp({ ...LONG_SILENCE, timing: { stuckMs: 300 } });
    using followers = watchFollowers();
    const { id, upstream } = await started(app);
    const stuck = await startBareFollower(app, id, { transport });
    const others = await Promise.all(
      TRANSPORTS.map((each) => startBareFollower(app, id, { transport: each })),
    );
    await vi.waitUntil(() => followers.count === 3, PATIENCE);
    stuck.connection.pause();
    await upstream.say(...WORDS);
    await vi.waitUntil(() => followers.count === 2, PATIENCE);
    await upstream.say('end');
    await upstream.end();
    await vi.waitUntil(() => followers.count === 0, PATIENCE);
    for (const { received, connection } of others) {
      await vi.waitUntil(() => received().at(-1)?.__typename === 'ResponseCompletedEvent', PATIENCE);
      expect(textOf(received()) === `${TEXT}end`).toBe(true);
      connection.destroy();
    }
    stuck.connection.destroy();
  },
  120_000,
);

// It has a second for that, which a busy machine may take away.
test('a WebSocket that wakes up in time learns that it was too slow, and goes on without a gap', {
  retry: 2,
  timeout: 120_000,
}, async () => {
  await using app = await startTestApp({ ...LONG_SILENCE, timing: { stuckMs: 200 } });
  using followers = watchFollowers();
  const { id, upstream } = await started(app);
  using close = vi.spyOn(WebSocket.prototype, 'close');
  const { connection, closed, received } = await startBareFollower(app, id, { transport: 'WebSocket' });
  await vi.waitUntil(() => followers.count === 1, PATIENCE);
  connection.pause();
  await upstream.say(...WORDS);
  await vi.waitUntil(() => close.mock.calls.length > 0, PATIENCE);
  expect(close).toHaveBeenCalledWith(1013, 'Too slow');
  connection.resume();
  expect(await closed).toBe(1013);
  const last = received().at(-1);
  expect(last?.sequenceNumber).toBeGreaterThan(100);
  await upstream.say('end');
  await upstream.end();
  const rest = await collect(app, { id, after: last?.cursor });
  expect(textOf(received()) + textOf(rest) === `${TEXT}end`).toBe(true);
});

test.each(TRANSPORTS)(
  'a %s client that falls behind is given joined deltas, and all of the text',
  async (transport) => {
    await using app = await startTestApp(LONG_SILENCE);
    using followers = watchFollowers();
    const { id, upstream } = await started(app);
    const { connection, received } = await startBareFollower(app, id, { transport });
    await vi.waitUntil(() => followers.count === 1, PATIENCE);
    connection.pause();
    await upstream.say(...WORDS);
    await upstream.end();
    connection.resume();
    await vi.waitUntil(() => followers.count === 0, PATIENCE);
    await vi.waitUntil(() => received().at(-1)?.__typename === 'ResponseCompletedEvent', PATIENCE);
    expect(textOf(received()) === TEXT).toBe(true);
    expect(received().length).toBeLessThan(WORDS.length);
    const numbers = received().map(({ sequenceNumber }) => sequenceNumber);
    expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
    connection.destroy();
  },
  120_000,
);

test('hundreds that read nothing cost little memory, however long the stream', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const heap = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed / 1024 / 1024;
  };
  await using app = await startTestApp(LONG_SILENCE);
  using followers = watchFollowers();
  const { id, upstream } = await started(app);
  const ten = Array.from({ length: 10 }, () =>
    startBareFollower(app, id, { transport: 'WebSocket', subscriptions: 30 }),
  );
  const stuck = await Promise.all(ten);
  await vi.waitUntil(() => followers.count === 300, PATIENCE);
  for (const { connection } of stuck) connection.pause();
  const before = heap();
  await upstream.say(...WORDS); // 16 MB, which the run itself keeps
  expect(heap() - before).toBeLessThan(100);
  expect(followers.count).toBe(300);
  for (const { connection } of stuck) connection.destroy();
  await upstream.end();
}, 60_000);

test('a client that pings faster than it reads is cut at once', async () => {
  await using app = await startTestApp(LONG_SILENCE);
  using close = vi.spyOn(WebSocket.prototype, 'close');
  const { socket, send } = await openSocket(app);
  Reflect.get(socket, '_socket').pause();
  const payload = { filler: 'x'.repeat(4_000_000) };
  for (let count = 0; count < 25; count++) send({ type: 'ping', payload });
  await vi.waitUntil(() => close.mock.calls.length > 0, PATIENCE);
  expect(close).toHaveBeenCalledWith(1013, 'Too slow');
  socket.terminate();
});
