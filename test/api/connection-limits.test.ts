import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { feed } from '../support/chat-server.ts';
import { watchFollowers } from '../support/followers.ts';
import { ask, createResponse } from '../support/graphql.ts';
import { openSocket } from '../support/raw-socket.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { answersTo } from '../support/transports.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({
    limits: {
      maxBodyBytes: 10_000,
      maxMessageBytes: 10_000,
      maxSubscriptions: 20,
      maxConnections: 50,
      initTimeoutMs: 60_000,
    },
  });
});

afterAll(() => app[Symbol.asyncDispose]());

const PATIENCE = { timeout: 10_000, interval: 5 };
const LONG = JSON.stringify({ query: `{ __typename } # ${'x'.repeat(20_000)}` });

/** That others are served is shown while something else is going on. */
const isServed = async (by: TestApp = app) =>
  expect(await ask(by, '{ __typename }')).toEqual({ __typename: 'Query' });

test.each([
  ['says its length', LONG],
  ['says no length', new Blob([LONG]).stream()],
])('a body that is too long and %s is refused: 413', async (_, body) => {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(app.url, { method: 'POST', headers, body, ...{ duplex: 'half' } });
  expect(answer.status).toBe(413);
  expect((await answer.json()).errors[0].extensions.code).toBe('REQUEST_ENTITY_TOO_LARGE');
  await isServed();
});

test('a message that is too long ends its socket: 1009', async () => {
  const socket = await openSocket(app);
  socket.subscribe('1', `{ __typename } # ${'x'.repeat(20_000)}`);
  expect(await socket.closed).toBe(1009);
  await isServed();
});

test('a socket that does not begin is closed: 4408', async () => {
  await using impatient = await startTestApp({ beside: app, limits: { initTimeoutMs: 50 } });
  const socket = new WebSocket(impatient.url.replace('http', 'ws'), 'graphql-transport-ws');
  const [code] = await once(socket, 'close');
  expect(code).toBe(4408);
});

test('several operations in one message or request are none', async () => {
  const batch = [{ query: '{ __typename }' }, { query: '{ __typename }' }];
  for (const accept of ['application/json', 'text/event-stream']) {
    const headers = { 'content-type': 'application/json', accept };
    const answer = await fetch(app.url, { method: 'POST', headers, body: JSON.stringify(batch) });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('Batching is not supported.');
  }
  const socket = await openSocket(app);
  socket.send({ type: 'subscribe', id: '1', payload: batch });
  expect(await socket.closed).toBe(4400);
});

test('of a thousand subscriptions on one socket as many run as may, and each that ends makes room for another', async () => {
  using followers = watchFollowers();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  const follow = 'subscription ($id: ID!) { responseStream(id: $id) { sequenceNumber } }';
  const socket = await openSocket(app);
  for (let n = 0; n < 1000; n++) socket.subscribe(`${n}`, follow, { id });
  const refused = await answersTo(socket, '999');
  expect(refused).toMatchObject([
    {
      type: 'error',
      payload: [
        {
          extensions: {
            code: 'OPERATION_LIMIT_EXCEEDED',
            limit: 'MAX_SUBSCRIPTIONS_PER_CONNECTION',
            allowed: 20,
          },
        },
      ],
    },
  ]);
  expect(JSON.stringify(refused)).not.toContain('"http"'); // says nothing on a socket
  await vi.waitUntil(() => followers.count === 20, PATIENCE);
  await isServed();
  socket.send({ type: 'complete', id: '3' });
  await vi.waitUntil(() => followers.count === 19, PATIENCE);
  socket.subscribe('again', follow, { id });
  await vi.waitUntil(() => followers.count === 20, PATIENCE);
  await upstream.end();
  expect((await answersTo(socket, 'again')).at(-1)?.type).toBe('complete');
  expect(socket.messages.filter(({ type }) => type === 'error')).toHaveLength(980);
  socket.socket.close();
  await socket.closed;
});

test('more sockets than may are refused (503), also of hundreds at once, and others are served', async () => {
  const url = app.url.replace('http', 'ws');
  const outcomes = { open: 0, refused: 0 };
  const sockets = Array.from({ length: 200 }, () => {
    const socket = new WebSocket(url, 'graphql-transport-ws');
    socket.on('open', () => {
      outcomes.open++;
      socket.send('{"type":"connection_init"}');
    });
    socket.on('unexpected-response', (_, { statusCode, headers }) => {
      if (statusCode === 503 && headers['retry-after'] !== undefined) outcomes.refused++;
      socket.terminate();
    });
    socket.on('error', () => {});
    return socket;
  });
  await vi.waitUntil(() => outcomes.open + outcomes.refused === 200, PATIENCE);
  expect(outcomes).toEqual({ open: 50, refused: 150 });
  await isServed();
  for (const socket of sockets) socket.terminate();
  await vi.waitFor(async () => {
    const again = await openSocket(app);
    again.socket.terminate();
  }, PATIENCE);
});

test.each([
  ['a million levels', '['.repeat(1_000_000) + ']'.repeat(1_000_000)],
  ['a million objects', `[${'{},'.repeat(1_000_000)}{}]`],
])('%s are not even read', async (_, value) => {
  await using generous = await startTestApp({ beside: app });
  const payload = `{"query":"{ __typename }","extensions":{"a":${value}}}`;
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(generous.url, { method: 'POST', headers, body: payload });
  expect(answer.status).toBe(400);
  expect((await answer.json()).errors[0]).toMatchObject({
    message: 'The body holds too many values, or too many within each other.',
    extensions: { code: 'BAD_REQUEST' },
  });
  const socket = await openSocket(generous);
  socket.socket.send(`{"type":"subscribe","id":"1","payload":${payload}}`);
  expect(await socket.closed).toBe(4400);
});

/** What comes over a connection that sends this and then nothing more, until it is closed. */
async function sendSlowly({ url }: { readonly url: string }, text: string | Buffer): Promise<string> {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(text);
  let received = '';
  socket.on('data', (bytes) => {
    received += bytes;
  });
  await once(socket, 'close');
  return received;
}

test('who is too slow to ask is cut, while others and long streams are not', async () => {
  await using brisk = await startTestApp({ beside: app, limits: { requestTimeoutMs: 1500 } });
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(brisk, { input: { text: 'Hi' }, stream: true });
  const stream = await fetch(brisk.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: `subscription { responseStream(id: "${id}") { sequenceNumber } }` }),
  });
  const slow = await Promise.all([
    sendSlowly(brisk, ''),
    sendSlowly(brisk, 'POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nx-a: '),
    sendSlowly(
      brisk,
      'POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    ),
    sendSlowly(brisk, 'GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\n'),
    isServed(brisk).then(() => ''),
  ]);
  expect(slow.filter((text) => text.includes(' 408 ')).length).toBeGreaterThanOrEqual(3);
  await isServed(brisk);
  await upstream.end();
  expect(await stream.text()).toContain('event: complete');
});

const UPGRADE = [
  'GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n',
].join('\r\n');

test('a socket that is sent away is gone soon, also if its client does not answer that', async () => {
  await using impatient = await startTestApp({ beside: app, limits: { initTimeoutMs: 50 } });
  expect(await sendSlowly(impatient, UPGRADE)).toContain('Connection initialisation timeout');
});

test('whoever has not said who they are sends no message of megabytes', async () => {
  await using generous = await startTestApp({ beside: app, limits: { initTimeoutMs: 60_000 } });
  const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]); // of 16 MB, masked with zeros
  const socket = await sendSlowly(
    generous,
    Buffer.concat([Buffer.from(UPGRADE), head, Buffer.alloc(100_000)]),
  );
  expect(socket).toContain('Too long');
});
