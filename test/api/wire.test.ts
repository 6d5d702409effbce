import { once } from 'node:events';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startBareFollower } from '../support/bare-follower.ts';
import { chunk, feed, says, sse, write } from '../support/chat-server.ts';
import { watchFollowers } from '../support/followers.ts';
import { createResponse } from '../support/graphql.ts';
import { openSocket, type RawSocket } from '../support/raw-socket.ts';
import { collect, follow, type StreamEvent, TRANSPORTS, textOf } from '../support/stream.ts';
import { subscribe } from '../support/subscribe.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ config: { joinsDeltas: false } });
});

afterAll(() => app[Symbol.asyncDispose]());

async function started() {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  return { id: id as string, upstream };
}

/** As if it had been deleted, and everything of it, before its followers were told. */
async function removeRows(id: string): Promise<void> {
  const { sql } = app.database;
  await sql`delete from events where response_id = ${id}`;
  await sql`delete from items where response_id = ${id}`;
  await sql`delete from responses where id = ${id}`;
}

const PATIENCE = { timeout: 5000, interval: 2 };

const DELTAS = `subscription ($id: ID!) {
  responseStream(id: $id) { sequenceNumber ... on OutputTextDeltaEvent { delta } ... on ResponseLifecycleEvent { response { status } } }
}`;

/** What a socket has been sent for one operation. */
function sentFor({ messages }: RawSocket, id: string) {
  const own = messages.filter((message) => message['id'] === id);
  // biome-ignore lint/suspicious/noExplicitAny: answers as they come
  const events: StreamEvent[] = own.flatMap(({ payload }: any) => payload?.data?.responseStream ?? []);
  return { events, types: own.map(({ type }) => type), isOver: own.at(-1)?.type === 'complete' };
}

const numbersOf = (events: readonly StreamEvent[]) => events.map(({ sequenceNumber }) => sequenceNumber);

test.each(TRANSPORTS)(
  'texts of every length and script come over %s as they were said',
  async (transport) => {
    const { id, upstream } = await started();
    const results = () => Array.fromAsync(subscribe(app, { query: DELTAS, variables: { id } }, transport));
    const live = results();
    const lengths = [1, 20, 60, 200, 22_000];
    const words = ['x', 'é', '日', '𝄞'].flatMap((sign) => lengths.map((each) => sign.repeat(each)));
    words.push('x'.repeat(400_000));
    words.push('\ud83d"\\\u2028\n\r\0', '\ndata: {}\n\nevent: complete\n\n');
    await upstream.say(...words);
    await upstream.end();
    for (const all of [await live, await results()]) {
      const deltas = all.flatMap(({ data }) => data.responseStream.delta ?? []);
      expect(deltas.length).toBe(words.length);
      expect(deltas.every((delta, index) => delta === words[index])).toBe(true);
    }
  },
);

test('many operations on one socket, whatever their ids, are interleaved and none is torn', async () => {
  using followers = watchFollowers();
  const runs = [await started(), await started()];
  const socket = await openSocket(app);
  const ids = ['plain', '"quoted\\"', 'ünï 日本 👩‍👩‍👧', '\u2028', '1', '2'];
  for (const [index, id] of ids.entries()) socket.subscribe(id, DELTAS, { id: runs[index % 2]?.id });
  await vi.waitUntil(() => followers.count === ids.length, PATIENCE);
  const words = Array.from({ length: 150 }, (_, word) => `${'日x'.repeat(word)} ${word}`);
  for (const { upstream } of runs) {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    upstream.open.then(async (exchange) => {
      for (let at = 0; at < words.length; at += 10) {
        const chunks = words.slice(at, at + 10).map((content) => chunk({ content }));
        await write(exchange, sse(...chunks)); // a batch
        socket.send({ type: 'ping', payload: { at } });
        socket.subscribe(
          `query ${at} ${runs.findIndex((run) => run.upstream === upstream)}`,
          '{ __typename }',
        );
      }
      resolve();
    });
    await done;
    await upstream.end();
  }
  await vi.waitUntil(() => ids.every((id) => sentFor(socket, id).isOver), PATIENCE);
  for (const id of ids) {
    const { events } = sentFor(socket, id);
    expect(numbersOf(events)).toEqual(events.map((_, index) => index));
    expect(textOf(events)).toBe(words.join(''));
  }
  const types = Map.groupBy(socket.messages, ({ type }) => type);
  expect(types.get('pong')?.length).toBe(30);
  const answers = socket.messages.filter(({ payload }) => JSON.stringify(payload)?.includes('"Query"'));
  expect(answers.length).toBe(30);
  socket.socket.close();
  expect(await socket.closed).toBe(1005);
});

test('an operation that is completed in mid-batch gets nothing more, the others everything, and its id is free', async () => {
  using followers = watchFollowers();
  const { id, upstream } = await started();
  const socket = await openSocket(app);
  for (const operation of ['one', 'two', 'three']) socket.subscribe(operation, DELTAS, { id });
  await vi.waitUntil(() => followers.count === 3, PATIENCE);
  const words = Array.from({ length: 400 }, (_, word) => `${word} ${'x'.repeat(1000)}`);
  let isLeft = false;
  socket.socket.on('message', () => {
    if (isLeft || sentFor(socket, 'two').events.length < 100) return;
    isLeft = true;
    socket.send({ type: 'complete', id: 'two' });
  });
  await upstream.say(...words);
  await vi.waitUntil(() => followers.count === 2, PATIENCE);
  socket.send({ type: 'ping' });
  await vi.waitUntil(() => socket.messages.some(({ type }) => type === 'pong'), PATIENCE);
  const before = sentFor(socket, 'two');
  socket.subscribe('two again', DELTAS, { id });
  await upstream.say('last');
  await upstream.end();
  for (const operation of ['one', 'three', 'two again']) {
    await vi.waitUntil(() => sentFor(socket, operation).isOver, PATIENCE);
    const { events } = sentFor(socket, operation);
    expect(numbersOf(events)).toEqual(events.map((_, index) => index));
    expect(textOf(events) === `${words.join('')}last`).toBe(true);
  }
  expect(sentFor(socket, 'two').events.length).toBe(before.events.length);
  expect(before.types).not.toContain('complete');
  socket.subscribe('two', DELTAS, { id });
  await vi.waitUntil(() => sentFor(socket, 'two').isOver, PATIENCE);
  socket.socket.terminate();
});

test.each(TRANSPORTS)('a %s client that pauses and goes on is given every event', async (transport) => {
  using followers = watchFollowers();
  const { id, upstream } = await started();
  const { connection, received } = await startBareFollower(app, id, { transport });
  await vi.waitUntil(() => followers.count === 1, PATIENCE);
  const words = Array.from({ length: 900 }, (_, word) => `${word} ${'日'.repeat(500)}`);
  for (let at = 0; at < words.length; at += 300) {
    connection.pause();
    await upstream.say(...words.slice(at, at + 300));
    connection.resume();
  }
  await upstream.end();
  await vi.waitUntil(() => received().at(-1)?.__typename === 'ResponseCompletedEvent', PATIENCE);
  expect(numbersOf(received())).toEqual(received().map((_, index) => index));
  expect(received().length).toBe(words.length + 8);
  expect(textOf(received()) === words.join('')).toBe(true);
  connection.destroy();
});

test.each(['close', 'terminate'] as const)(
  'a socket that its client closes (%s) during a burst releases everything, and the run goes on',
  async (how) => {
    using followers = watchFollowers();
    const { id, upstream } = await started();
    const socket = await openSocket(app);
    for (const operation of ['one', 'two']) socket.subscribe(operation, DELTAS, { id });
    await vi.waitUntil(() => followers.count === 2, PATIENCE);
    socket.socket.once('message', () => socket.socket[how]());
    await upstream.say(...Array.from({ length: 200 }, () => 'x'.repeat(2000)));
    await socket.closed;
    await vi.waitUntil(() => followers.count === 0, PATIENCE);
    await upstream.end();
    expect((await collect(app, { id })).at(-1)?.['response'].status).toBe('COMPLETED');
  },
);

test.each(TRANSPORTS)(
  'a response that is gone while it is followed ends %s with NOT_FOUND',
  async (transport) => {
    await using beside = await startTestApp({ beside: app });
    const { id, upstream } = await started();
    await upstream.say('One ');
    const events: StreamEvent[] = [];
    let error: unknown = null;
    try {
      for await (const event of follow(beside, { id }, transport)) {
        events.push(event);
        if (event['delta'] !== 'One ') continue;
        await removeRows(id);
      }
    } catch (thrown) {
      error = thrown;
    }
    expect(numbersOf(events)).toEqual([0, 1, 2, 3, 4]);
    const [told] = Array.isArray(error) ? error : Reflect.get(Object(error), 'errors');
    expect(told).toMatchObject({ message: expect.stringContaining(id), extensions: { code: 'NOT_FOUND' } });
    await upstream.end();
  },
);

test('over SSE such an end is a last result, then complete', async () => {
  await using beside = await startTestApp({ beside: app });
  const { id, upstream } = await started();
  const { received, connection } = await startBareFollower(beside, id, { transport: 'SSE' });
  const read: Buffer[] = [];
  connection.on('data', (data) => read.push(data));
  await vi.waitUntil(() => received().length === 2, PATIENCE);
  await removeRows(id);
  await vi.waitUntil(() => Buffer.concat(read).includes('event: complete'), PATIENCE);
  const text = Buffer.concat(read).toString();
  expect(text).toMatch(
    /event: next\ndata: \{"errors":\[\{"message":"[^{]+","extensions":\{"code":"NOT_FOUND"\}\}\]\}\n\n/,
  );
  expect(text.trimEnd().endsWith('0')).toBe(true); // the last chunk of the answer
  const closed = once(connection, 'close');
  connection.end();
  await closed;
  await upstream.end();
});

test('events of a stored stream come in few pieces, each whole', async () => {
  app.upstream.enqueue(says(...Array.from({ length: 300 }, (_, word) => `${word} `)));
  const { id } = await createResponse(app, { input: { text: 'Hi' } });
  const { connection, received } = await startBareFollower(app, id, { transport: 'SSE' });
  let reads = 0;
  connection.on('data', () => reads++);
  await vi.waitUntil(() => received().at(-1)?.__typename === 'ResponseCompletedEvent', PATIENCE);
  expect(received().length).toBeGreaterThan(300);
  expect(reads).toBeLessThan(20);
  connection.destroy();
});
