import { expect, test, vi } from 'vitest';
import { startBareFollower } from '../support/bare-follower.ts';
import { feed } from '../support/chat-server.ts';
import { watchFollowers } from '../support/followers.ts';
import { createResponse } from '../support/graphql.ts';
import { startPostgresProxy } from '../support/postgres-proxy.ts';
import { openSocket } from '../support/raw-socket.ts';
import { collect, type StreamEvent, TRANSPORTS, textOf } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const PATIENCE = { timeout: 20_000, interval: 5 };
/** Until everybody is there the models say nothing. */
const LONG_SILENCE = { config: { modelIdleTimeoutMs: 60_000 } };

const DELTAS = `
  subscription ($id: ID!) {
    responseStream(id: $id) { __typename sequenceNumber ... on OutputTextDeltaEvent { delta } }
  }`;

async function started(app: TestApp) {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  return { id: id as string, upstream };
}

/** What a message brings of a stream. */
interface Answered {
  readonly data: { readonly responseStream: StreamEvent };
}

test('200 followers of one response, on two instances and both transports, are all given the same', async () => {
  await using app = await startTestApp(LONG_SILENCE);
  await using beside = await startTestApp({ beside: app, ...LONG_SILENCE });
  using followers = watchFollowers();
  const { id, upstream } = await started(app);
  const join = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      collect(index % 4 < 2 ? app : beside, { id }, TRANSPORTS[index % 2]),
    );
  const early = join(100);
  await upstream.say(...Array.from({ length: 20 }, (_, word) => `early${word} `));
  const late = join(100);
  await vi.waitUntil(() => followers.count === 200, PATIENCE);
  await upstream.say(...Array.from({ length: 20 }, (_, word) => `late${word} `));
  await upstream.end();
  const [first = [], ...others] = await Promise.all([...early, ...late]);
  for (const other of others) expect(other).toEqual(first);
  expect(textOf(first)).toMatch(/^early0 .*late19 $/);
  expect(followers.count).toBe(0);
}, 60_000);

test('200 responses, each streamed and followed, keep their texts apart', async () => {
  await using app = await startTestApp(LONG_SILENCE);
  using followers = watchFollowers();
  const runs = [];
  for (let number = 0; number < 200; number++) runs.push(await started(app));
  const streams = runs.map(({ id }, number) => collect(app, { id }, TRANSPORTS[number % 2]));
  await vi.waitUntil(() => followers.count === 200, PATIENCE);
  for (let word = 0; word < 10; word++)
    await Promise.all(runs.map(({ upstream }, number) => upstream.say(`${number}.${word} `)));
  await Promise.all(runs.map(({ upstream }) => upstream.end()));
  for (const [number, stream] of streams.entries()) {
    const said = Array.from({ length: 10 }, (_, word) => `${number}.${word} `).join('');
    expect(textOf(await stream)).toBe(said);
  }
  expect(followers.count).toBe(0);
}, 60_000);

test('300 subscriptions on one socket, of runs here and elsewhere, end with every number in its place', async () => {
  await using app = await startTestApp(LONG_SILENCE);
  await using beside = await startTestApp({ beside: app, ...LONG_SILENCE });
  using followers = watchFollowers();
  const runs = [await started(app), await started(beside)];
  const socket = await openSocket(app);
  for (let number = 0; number < 300; number++)
    socket.subscribe(String(number), DELTAS, { id: runs[number % 2]?.id });
  await vi.waitUntil(() => followers.count === 300, PATIENCE);
  for (const { upstream } of runs) {
    await upstream.say('One ', 'two ', 'three');
    await upstream.end();
  }
  const completed = () => socket.messages.filter(({ type }) => type === 'complete').length;
  await vi.waitUntil(() => completed() === 300, PATIENCE);
  const events = Map.groupBy(
    socket.messages.filter(({ type }) => type === 'next'),
    ({ id }) => id,
  );
  expect(events.size).toBe(300);
  for (const own of events.values()) {
    const stream = own.map(({ payload }) => (payload as Answered).data.responseStream);
    expect(stream.map(({ sequenceNumber }) => sequenceNumber)).toEqual(stream.map((_, index) => index));
    expect(textOf(stream)).toBe('One two three');
  }
  socket.socket.close();
  await socket.closed;
}, 60_000);

test('100 followers of a run elsewhere ask the database about as often as one would', async () => {
  await using app = await startTestApp(LONG_SILENCE);
  await using proxy = await startPostgresProxy(app.database.url);
  const config = { databaseUrl: proxy.url };
  await using beside = await startTestApp({ beside: app, config, timing: { pollMs: 1000 } });
  using followers = watchFollowers();
  const { id, upstream } = await started(app);
  const many = await startBareFollower(beside, id, { transport: 'WebSocket', subscriptions: 100 });
  await vi.waitUntil(() => followers.count === 100, PATIENCE);
  const deltas = () => many.received().filter(({ delta }) => delta !== undefined).length;
  await upstream.say('First ');
  await vi.waitUntil(() => deltas() === 100, PATIENCE);
  const before = proxy.executed;
  for (let word = 2; word <= 20; word++) {
    await upstream.say(`${word} `);
    await vi.waitUntil(() => deltas() === 100 * word, PATIENCE);
  }
  expect(proxy.executed - before).toBeLessThan(100); // 1900 if each asked for itself
  await upstream.end();
  await vi.waitUntil(() => followers.count === 0, PATIENCE);
  many.connection.destroy();
}, 60_000);
