import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { toWireText, type WireText } from '../../src/graphql/live/shared-selection.ts';
import { createOutlet, type Outlet, writeResults } from '../../src/server/socket/result-writer.ts';

type Texts = AsyncGenerator<readonly WireText[], void>;

/** Both ends of a WebSocket. */
async function connected() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const outlet = new Promise<Outlet>((resolve) => {
    server.on('connection', (socket, { socket: connection }) => {
      const gone = once(socket, 'close').then(() => undefined);
      resolve(createOutlet(socket, connection, gone));
    });
  });
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const messages: string[] = [];
  client.on('message', (data) => messages.push(String(data)));
  await once(client, 'open');
  return {
    client,
    messages,
    outlet: await outlet,
    async [Symbol.asyncDispose]() {
      client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}

/** All of these batches, then the end. Counts those that were asked for. */
function batchesOf(batches: readonly (readonly string[])[]) {
  const asked = { count: 0, isLeft: false };
  const texts: Texts = (async function* () {
    try {
      for (const batch of batches) {
        asked.count++;
        yield batch.map((each) => toWireText(JSON.stringify(each)));
      }
    } finally {
      asked.isLeft = true;
    }
  })();
  return { asked, results: { kind: 'batches', texts, tap: () => {} } as const };
}

/** Writes them all, then says goodbye, and gives what the other end has read by then. */
async function read(batches: readonly (readonly string[])[], id: string): Promise<readonly unknown[]> {
  await using ends = await connected();
  const closed = once(ends.client, 'close');
  for await (const none of writeResults(batchesOf(batches).results, id, ends.outlet)) expect(none).toBeNull();
  ends.outlet.socket.close();
  await closed;
  return ends.messages.map((message) => JSON.parse(message));
}

const next = (id: string) => (payload: string) => ({ id, type: 'next', payload });

/** So many bytes a message has beside its text. */
const FRAME = JSON.stringify(next('1')('')).length;

test('a frame of every class of length, and at the bounds between them, is read whole', async () => {
  const lengths = [125, 126, 127, 65_535, 65_536, 65_537, 70_000, 1_000_000, FRAME].map(
    (each) => each - FRAME,
  );
  const texts = lengths.map((length) => 'x'.repeat(length));
  expect(await read([texts], '1')).toEqual(texts.map(next('1')));
  expect(
    await read(
      texts.map((text) => [text]),
      '1',
    ),
  ).toEqual(texts.map(next('1')));
});

test('texts that are not ASCII are counted in bytes, over the bounds too', async () => {
  const texts = Array.from({ length: 60 }, (_, length) => `é日𝄞${'ü'.repeat(length)}`);
  texts.push('日'.repeat((65_536 - FRAME) / 3), '𝄞'.repeat(40_000), '\ud83d "\\ \u2028');
  expect(await read([texts], '1')).toEqual(texts.map(next('1')));
});

test('a batch larger than a piece comes in order, and so does what follows it', async () => {
  const texts = Array.from({ length: 3000 }, (_, number) => `${number} ${'日'.repeat(number % 90)}`);
  expect(await read([texts, [], ['last']], '1')).toEqual([...texts, 'last'].map(next('1')));
});

test.each(['"quoted"', 'ünï 日本 👩‍👩‍👧', 'back\\slash\n', '', '\u2028', '__proto__', 'x'.repeat(70_000)])(
  'an operation may have the id %j',
  async (id) => {
    expect(await read([['one', 'é']], id)).toEqual(['one', 'é'].map(next(id)));
  },
);

test('a client that reads nothing is written little more than it has room for, and all of it when it reads', async () => {
  await using ends = await connected();
  const batches = Array.from({ length: 300 }, (_, number) => [`${number}${'x'.repeat(100_000)}`]);
  const { asked, results } = batchesOf(batches);
  const connection: { pause(): void; resume(): void } = Reflect.get(ends.client, '_socket');
  connection.pause();
  const full = once(ends.outlet.connection, 'drain'); // it needs to be full for that
  const written = Array.fromAsync(writeResults(results, '1', ends.outlet));
  await expect.poll(() => ends.outlet.connection.writableNeedDrain, { interval: 1 }).toBe(true);
  const before = asked.count;
  expect(before).toBeLessThan(100);
  connection.resume();
  await full;
  await written;
  expect(asked.count).toBe(300);
  await expect.poll(() => ends.messages.length).toBe(300);
  expect(ends.messages.map((each) => Number.parseInt(JSON.parse(each).payload, 10))).toEqual(
    batches.map((_, number) => number),
  );
});

test.each(['leaves', 'loses its connection'])(
  'a client that reads nothing and %s releases its source at once',
  async (how) => {
    await using ends = await connected();
    const { asked, results } = batchesOf(Array.from({ length: 500 }, () => ['x'.repeat(100_000)]));
    Reflect.get(ends.client, '_socket').pause();
    const writing = writeResults(results, '1', ends.outlet);
    const over = writing.next();
    await expect.poll(() => ends.outlet.connection.writableNeedDrain, { interval: 1 }).toBe(true);
    if (how === 'leaves') await writing.return();
    else ends.outlet.connection.destroy();
    expect(await over).toEqual({ done: true, value: undefined });
    expect(asked.isLeft).toBe(true);
    expect(asked.count).toBeLessThan(500);
  },
);

test('an error of the source comes out of the stream', async () => {
  await using ends = await connected();
  const texts: Texts = (async function* () {
    yield [toWireText('"before"')];
    throw new Error('gone');
  })();
  await expect(
    writeResults({ kind: 'batches', texts, tap: () => {} }, '1', ends.outlet).next(),
  ).rejects.toThrow('gone');
  await expect.poll(() => ends.messages.map((each) => JSON.parse(each))).toEqual([next('1')('before')]);
});

test('what is offered at once is written in its place, unless the client has no room for it or has gone', async () => {
  await using ends = await connected();
  const taps: ((texts: readonly WireText[]) => boolean)[] = [];
  const more = Promise.withResolvers<readonly WireText[]>();
  const texts: Texts = (async function* () {
    yield [toWireText('"first"')];
    yield await more.promise;
  })();
  const over = writeResults(
    { kind: 'batches', texts, tap: (take) => taps.push(take) },
    '1',
    ends.outlet,
  ).next();
  const [take = () => false] = taps;
  await expect.poll(() => ends.messages.length, { interval: 1 }).toBe(1);
  expect(take([toWireText('"é"'), toWireText('"日"')])).toBe(true);
  const connection: { pause(): void; resume(): void } = Reflect.get(ends.client, '_socket');
  connection.pause();
  let taken = 2;
  while (take([toWireText(JSON.stringify('x'.repeat(100_000)))])) taken++;
  expect(ends.outlet.connection.writableNeedDrain).toBe(true);
  more.resolve([toWireText('"last"')]);
  connection.resume();
  await over;
  await expect.poll(() => ends.messages.length).toBe(taken + 2);
  const payloads = ends.messages.map((each) => JSON.parse(each).payload);
  expect([...payloads.slice(0, 3), payloads.at(-1)]).toEqual(['first', 'é', '日', 'last']);
  ends.outlet.socket.close();
  expect(take([toWireText('"late"')])).toBe(false);
});
