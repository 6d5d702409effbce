import { expect, test, vi } from 'vitest';
import { feed, hangsAfter } from '../support/chat-server.ts';
import { watchFollowers } from '../support/followers.ts';
import { CREATE, createResponse, readResponse, send } from '../support/graphql.ts';
import { createOverSocket } from '../support/socket.ts';
import { collect, follow, TRANSPORTS } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

/** The only response there is, once it has said as much as this. */
async function onlyResponse(app: TestApp, outputText: string): Promise<{ readonly id: string }> {
  return vi.waitUntil(
    async () => {
      const { data } = await send(app, '{ responses(first: 1) { nodes { id outputText } } }');
      const [response] = data.responses.nodes;
      return response?.outputText === outputText && response;
    },
    { timeout: 5000, interval: 20 },
  );
}

async function ended(app: TestApp, id: string) {
  return vi.waitUntil(
    async () => {
      const response = await readResponse(app, id);
      return response.status !== 'IN_PROGRESS' && response;
    },
    { timeout: 5000, interval: 20 },
  );
}

/** How each kind of client goes away while it waits for its response. */
const DEPARTURES: readonly [string, (app: TestApp, input: object) => () => void][] = [
  [
    'an HTTP client that hangs up',
    (app, input) => {
      const caller = new AbortController();
      send(app, CREATE, { input }, caller.signal).catch(() => {});
      return () => caller.abort();
    },
  ],
  ['a WebSocket operation that is completed', (app, input) => createOverSocket(app, input).complete],
  ['a WebSocket that closes', (app, input) => createOverSocket(app, input).close],
  ['a WebSocket that is cut', (app, input) => createOverSocket(app, input).cut],
];

test.each(DEPARTURES)('%s cancels the run it waits for, and what was said is kept', async (_, call) => {
  await using app = await startTestApp();
  app.upstream.enqueue(hangsAfter('Once ', 'upon'));
  const leave = call(app, { input: { text: 'Tell' } });
  const { id } = await onlyResponse(app, 'Once upon');
  const exchange = await app.upstream.received(1);
  const left = performance.now();
  leave();
  await exchange.closed;
  expect(performance.now() - left).toBeLessThan(1000);
  expect(await ended(app, id)).toMatchObject({
    status: 'CANCELLED',
    output: [{ status: 'INCOMPLETE', text: 'Once upon' }],
    error: null,
  });
  expect((await collect(app, { id })).at(-1)?.__typename).toBe('ResponseCancelledEvent');
});

test.each(DEPARTURES)('%s before the model has said a word cancels too', async (_, call) => {
  await using app = await startTestApp();
  app.upstream.enqueue(({ closed }) => closed);
  const leave = call(app, { input: { text: 'Tell' } });
  const exchange = await app.upstream.received(1);
  const { id } = await onlyResponse(app, '');
  leave();
  await exchange.closed;
  expect(await ended(app, id)).toMatchObject({ status: 'CANCELLED', output: [] });
});

test.each(DEPARTURES)('%s leaves a run with an idempotency key alone', async (_, call) => {
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const input = { input: { text: 'Tell' }, idempotencyKey: 'once' };
  const leave = call(app, input);
  await upstream.say('Once ');
  await onlyResponse(app, 'Once ');
  leave();
  const again = createResponse(app, input);
  await upstream.say('upon');
  await upstream.end();
  expect(await again).toMatchObject({ status: 'COMPLETED', outputText: 'Once upon' });
  expect(app.upstream.exchanges).toHaveLength(1);
});

test('leaving one operation of a socket leaves the others on it alone', async () => {
  await using app = await startTestApp();
  const kept = feed();
  app.upstream.enqueue(kept.answer);
  const other = createOverSocket(app, { input: { text: 'Stay' } });
  await kept.open;
  app.upstream.enqueue(hangsAfter('x'));
  const first = createOverSocket(app, { input: { text: 'Go' } });
  const exchange = await app.upstream.received(2);
  first.complete();
  await exchange.closed;
  await kept.say('Still here');
  await kept.end();
  expect(await other.answer).toMatchObject({ response: { status: 'COMPLETED', outputText: 'Still here' } });
  await Promise.all([first.close(), other.close()]);
});

test('a streamed run goes on to its end without any follower', async () => {
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Tell' }, stream: true });
  for await (const event of follow(app, { id })) if (event['delta'] === undefined) break;
  await upstream.say('Alone ', 'at last');
  await upstream.end();
  expect(await ended(app, id)).toMatchObject({ status: 'COMPLETED', outputText: 'Alone at last' });
});

test.each(TRANSPORTS)('a %s follower that leaves a quiet stream is released at once', async (transport) => {
  using followers = watchFollowers();
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Tell' }, stream: true });
  await upstream.say('Hm');
  const stream = follow(app, { id }, transport);
  for await (const event of stream) if (event['delta'] === 'Hm') break; // the model says nothing more
  await vi.waitUntil(() => followers.count === 0, { timeout: 1000, interval: 5 });
  expect(followers.most).toBe(1);
  await upstream.end();
  expect((await collect(app, { id }, transport)).at(-1)?.__typename).toBe('ResponseCompletedEvent');
  expect(followers.count).toBe(0);
});

test.each(TRANSPORTS)('50 %s followers of one response are all given the same events', async (transport) => {
  using followers = watchFollowers();
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Tell' }, stream: true });
  const early = Array.from({ length: 25 }, () => collect(app, { id }, transport));
  await upstream.say(...Array.from({ length: 20 }, (_, word) => `early${word} `));
  const late = Array.from({ length: 25 }, () => collect(app, { id }, transport));
  await upstream.say(...Array.from({ length: 20 }, (_, word) => `late${word} `));
  await vi.waitUntil(() => followers.count === 50, { timeout: 5000, interval: 5 });
  await upstream.say('end');
  await upstream.end();
  const [first, ...others] = await Promise.all([...early, ...late]);
  for (const other of others) expect(other).toEqual(first);
  expect(first?.at(-1)?.['response'].outputText).toMatch(/^early0 .*late19 end$/);
  expect(followers.count).toBe(0);
});
