import { expect, test, vi } from 'vitest';
import { feed, hangsAfter } from '../support/chat-server.ts';
import { CREATE, createResponse, readResponse, send } from '../support/graphql.ts';
import { createOverSocket } from '../support/socket.ts';
import { follow, TRANSPORTS } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const GRACE = 300;
const SHORT = { config: { detachGraceMs: GRACE } };

async function statusOf(app: TestApp, id: string): Promise<string> {
  return (await readResponse(app, id)).status;
}

/** Resolves with the time that it took until the upstream's connection was closed. */
async function timed(closed: Promise<void>): Promise<number> {
  const began = performance.now();
  await closed;
  return performance.now() - began;
}

test.each([true, false])(
  'a streamed run that nobody ever follows is cancelled after the grace (store: %s)',
  async (store) => {
    await using app = await startTestApp(SHORT);
    app.upstream.enqueue(hangsAfter('Anybody?'));
    const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true, store });
    const exchange = await app.upstream.received(1);
    expect(await timed(exchange.closed)).toBeGreaterThan(GRACE / 2);
    if (!store) return;
    await vi.waitUntil(async () => (await statusOf(app, id)) === 'CANCELLED', { interval: 10 });
    expect(await readResponse(app, id)).toMatchObject({ outputText: 'Anybody?', error: null });
  },
);

test.each(TRANSPORTS)('the grace begins anew when the last %s follower leaves', async (transport) => {
  await using app = await startTestApp(SHORT);
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  const { closed } = await upstream.open;
  let isClosed = false;
  void closed.then(() => {
    isClosed = true;
  });
  const began = performance.now();
  const stream = follow(app, { id }, transport);
  for await (const event of stream) {
    // A word now and then, for three times as long as the grace.
    if (performance.now() - began > 3 * GRACE) break;
    if (event['delta'] === undefined && event.__typename !== 'ResponseInProgressEvent') continue;
    await upstream.say('tick ');
  }
  expect(isClosed).toBe(false);
  expect(await timed(closed)).toBeGreaterThan(GRACE / 2);
  await vi.waitUntil(async () => (await statusOf(app, id)) === 'CANCELLED', { interval: 10 });
});

test('a follower on another instance keeps a run alive, and its leaving does not', async () => {
  await using app = await startTestApp(SHORT);
  await using beside = await startTestApp({ beside: app, ...SHORT });
  app.upstream.enqueue(hangsAfter('Far ', 'away'));
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  const exchange = await app.upstream.received(1);
  const stream = follow(beside, { id });
  await vi.waitUntil(async () => (await stream.next()).value?.['delta'] !== undefined);
  const { sql } = app.database;
  // Fresh for longer than the grace: the owner has looked at it by then, more than once.
  const marks = new Set<string>();
  await vi.waitUntil(
    async () => {
      const [row] = await sql`select followed_at::text as mark from responses`;
      marks.add(row?.['mark']);
      return marks.size > (3 * GRACE) / 50;
    },
    { interval: 10, timeout: 10_000 },
  );
  expect(await statusOf(app, id)).toBe('IN_PROGRESS');
  const left = timed(exchange.closed);
  await stream.return();
  expect(await left).toBeGreaterThan(GRACE / 2);
  await vi.waitUntil(async () => (await statusOf(app, id)) === 'CANCELLED', { interval: 10 });
});

test('a background run needs nobody', async () => {
  await using app = await startTestApp({ config: { detachGraceMs: 0 } });
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, background: true });
  await upstream.say('Alone ');
  // Another run is given up meanwhile: the owner has looked.
  app.upstream.enqueue(hangsAfter('x'));
  await createResponse(app, { input: { text: 'Hi' }, stream: true });
  await (await app.upstream.received(2)).closed;
  await upstream.say('at last');
  await upstream.end();
  await vi.waitUntil(async () => (await statusOf(app, id)) === 'COMPLETED', { interval: 10 });
  expect((await readResponse(app, id)).outputText).toBe('Alone at last');
});

test('a caller that waits keeps its run alive for as long as it waits', async () => {
  await using app = await startTestApp({ config: { detachGraceMs: 0 } });
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const answer = createResponse(app, { input: { text: 'Hi' } });
  await upstream.say('Still ');
  app.upstream.enqueue(hangsAfter('x'));
  await createResponse(app, { input: { text: 'Hi' }, stream: true });
  await (await app.upstream.received(2)).closed; // the owner has looked
  await upstream.say('here');
  await upstream.end();
  expect(await answer).toMatchObject({ status: 'COMPLETED', outputText: 'Still here' });
});

const DEPARTURES: readonly [string, (app: TestApp, input: object) => () => void][] = [
  [
    'an aborted HTTP request',
    (app, input) => {
      const controller = new AbortController();
      send(app, CREATE, { input }, controller.signal).catch(() => {});
      return () => controller.abort();
    },
  ],
  [
    'a complete',
    (app, input) => {
      const operation = createOverSocket(app, input);
      return () => operation.complete();
    },
  ],
  [
    'a cut socket',
    (app, input) => {
      const operation = createOverSocket(app, input);
      return () => operation.cut();
    },
  ],
];

test.each(DEPARTURES)(
  'after %s in mid-run the same key finds the run, from any instance: one model call, the whole answer',
  async (_, call) => {
    await using app = await startTestApp();
    await using beside = await startTestApp({ beside: app });
    const upstream = feed();
    app.upstream.enqueue(upstream.answer);
    const input = { input: { text: 'Tell' }, idempotencyKey: 'once' };
    const leave = call(app, input);
    await upstream.say('Once ');
    await vi.waitUntil(
      async () => (await app.database.sql`select 1 from events where body like '%Once%'`).length > 0,
      { interval: 10 },
    );
    leave();
    const again = [createResponse(app, input), createResponse(beside, input)];
    await upstream.say('upon ', 'a time');
    await upstream.end();
    const [first, second] = await Promise.all(again);
    expect(first).toMatchObject({ status: 'COMPLETED', outputText: 'Once upon a time' });
    expect(second).toEqual(first);
    expect(app.upstream.exchanges).toHaveLength(1);
  },
);

test.each(DEPARTURES)(
  'after %s nobody comes back: the run with a key is cancelled after the grace',
  async (_, call) => {
    await using app = await startTestApp(SHORT);
    app.upstream.enqueue(hangsAfter('Once'));
    const leave = call(app, { input: { text: 'Tell' }, idempotencyKey: 'once' });
    const { closed } = await app.upstream.received(1);
    leave();
    expect(await timed(closed)).toBeGreaterThan(GRACE / 2);
  },
);

test('asking again for a streamed run gives its follower time', async () => {
  await using app = await startTestApp(SHORT);
  app.upstream.enqueue(hangsAfter('Once'));
  const input = { input: { text: 'Hi' }, stream: true, idempotencyKey: 'again' };
  const { id } = await createResponse(app, input);
  const { closed } = await app.upstream.received(1);
  let isClosed = false;
  void closed.then(() => {
    isClosed = true;
  });
  const began = performance.now();
  while (performance.now() - began < 3 * GRACE) {
    expect(await createResponse(app, input)).toMatchObject({ id, status: 'IN_PROGRESS' });
    expect(isClosed).toBe(false);
  }
  expect(await timed(closed)).toBeGreaterThan(GRACE / 2);
});
