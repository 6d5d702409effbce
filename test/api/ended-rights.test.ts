import type { Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { feed, hangsAfter } from '../support/chat-server.ts';
import { watchFollowers } from '../support/followers.ts';
import { CREATE, createResponse, readResponse, send } from '../support/graphql.ts';
import { createKey, introduce, revoke, startKeyApp, type TestKey } from '../support/keys.ts';
import { follow, type StreamEvent } from '../support/stream.ts';
import type { TestApp } from '../support/test-app.ts';

type Keyed = TestApp & TestKey;

const PATIENCE = { timeout: 10_000, interval: 1 };

/** A run that has begun to speak, started with a key. */
async function speaking(
  caller: Keyed,
): Promise<{ readonly id: string; readonly upstream: ReturnType<typeof feed> }> {
  const upstream = feed();
  caller.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(caller, { input: { text: 'Hi' }, stream: true });
  await upstream.say('Well');
  return { id, upstream };
}

/** Follows until the stream breaks. Resolves once it has begun, with what it ends with. */
async function followToEnd(caller: Keyed, id: string, transport: 'WebSocket' | 'SSE') {
  const events: StreamEvent[] = [];
  const begun = Promise.withResolvers<void>();
  const ended = (async () => {
    try {
      for await (const event of follow(caller, { id }, transport)) {
        events.push(event);
        begun.resolve();
      }
      return 'completed';
    } catch (error) {
      return error;
    }
  })();
  await begun.promise;
  return { ended, events };
}

const UNAUTHENTICATED = { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] };

test('a key that is revoked ends what is connected with it, on every instance, and nothing else', async () => {
  await using app = await startKeyApp();
  await using other = await startKeyApp({ beside: app });
  const key = await createKey(app);
  const kept = await createKey(app);
  const { id, upstream } = await speaking({ ...app, ...key });
  const ends = [];
  for (const at of [app, other])
    for (const transport of ['WebSocket', 'SSE'] as const)
      ends.push(await followToEnd({ ...at, ...key }, id, transport));
  const stays = await followToEnd({ ...other, ...kept }, id, 'SSE');
  const idle = await introduce(other, { params: { authorization: kept.authorization } });
  await revoke(app, key);
  for (const [place, { ended }] of ends.entries())
    expect(await ended).toMatchObject(place % 2 === 0 ? { code: 4401 } : UNAUTHENTICATED);
  expect((await send({ ...app, ...key }, '{ __typename }')).errors).toMatchObject(UNAUTHENTICATED.errors);
  await upstream.say(' then');
  await upstream.end();
  expect(await stays.ended).toBe('completed');
  expect(stays.events.at(-1)?.['response'].outputText).toBe('Well then');
  expect(idle.socket.readyState).toBe(idle.socket.OPEN);
  idle.socket.terminate();
});

test('a request that waits for its answer ends with the right of its caller, and its run with it', async () => {
  await using app = await startKeyApp();
  const key = await createKey(app);
  const reader = { ...app, ...(await createKey(app)) };
  app.upstream.enqueue(hangsAfter('Well'));
  const waiting = createResponse({ ...app, ...key }, { input: { text: 'Hi' } });
  await app.upstream.received(1);
  await revoke(app, key);
  const { id, status } = await waiting;
  expect(status).toBe('CANCELLED');
  expect(await readResponse(reader, id)).toMatchObject({ status: 'CANCELLED' });
});

test('a key that expires ends what is connected with it', async () => {
  await using app = await startKeyApp();
  const { id, upstream } = await speaking({ ...app, ...(await createKey(app)) });
  const key = await createKey(app, { expiresAt: new Date(Date.now() + 4000) });
  const caller = { ...app, ...key };
  const [idle, overSocket, overSse] = await Promise.all([
    introduce(app, { params: { authorization: key.authorization } }),
    followToEnd(caller, id, 'WebSocket'),
    followToEnd(caller, id, 'SSE'),
  ]);
  expect(await idle.closed).toEqual({ code: 4401, reason: 'Unauthorized' });
  expect(await overSocket.ended).toMatchObject({ code: 4401 });
  expect(await overSse.ended).toMatchObject(UNAUTHENTICATED);
  expect((await send(caller, '{ __typename }')).errors).toMatchObject(UNAUTHENTICATED.errors);
  await upstream.end();
});

test('a streamed run whose only follower was cut off is given the time of any other, then cancelled', async () => {
  await using app = await startKeyApp({ config: { detachGraceMs: 1000 } });
  const key = await createKey(app);
  const reader = { ...app, ...(await createKey(app)) };
  const { id } = await speaking({ ...app, ...key });
  const { ended } = await followToEnd({ ...app, ...key }, id, 'SSE');
  await revoke(app, key);
  expect(await ended).toMatchObject(UNAUTHENTICATED);
  expect(await readResponse(reader, id)).toMatchObject({ status: 'IN_PROGRESS' });
  await expect
    .poll(async () => (await readResponse(reader, id)).status, { timeout: 10_000 })
    .toBe('CANCELLED');
});

test('for a client that does not read that it is to go nothing goes on, and it can ask for nothing more', async () => {
  await using app = await startKeyApp();
  using followers = watchFollowers();
  const [gone, other] = [await createKey(app), await createKey(app)];
  const { id, upstream } = await speaking({ ...app, ...other });
  const { socket, closed } = await introduce(app, { params: { authorization: gone.authorization } });
  const ask = (name: string, query: string, variables: object) =>
    socket.send(JSON.stringify({ id: name, type: 'subscribe', payload: { query, variables } }));
  ask('1', 'subscription ($id: ID!) { responseStream(id: $id) { cursor } }', { id });
  await vi.waitUntil(() => followers.count === 1, PATIENCE);
  const connection: Socket = Reflect.get(socket, '_socket');
  using close = vi.spyOn(WebSocket.prototype, 'close');
  connection.pause();
  await revoke(app, gone);
  await vi.waitUntil(() => close.mock.calls.length > 0, PATIENCE);
  expect(followers.count).toBe(0);
  ask('2', CREATE, { input: { input: { text: 'Mine' } } });
  connection.resume();
  expect(await closed).toEqual({ code: 4401, reason: 'Unauthorized' });
  await upstream.end();
  await createResponse({ ...app, authorization: other.authorization }, { input: { text: 'Theirs' } });
  expect(app.upstream.exchanges.map(({ body }) => body.messages.at(-1)?.content)).toEqual(['Hi', 'Theirs']);
  expect(await app.database.sql`select 1 from responses`).toHaveLength(2);
});

test('a socket whose key is revoked while the database is away is closed once that is back', async () => {
  await using app = await startKeyApp();
  const key = await createKey(app);
  const { socket, closed } = await introduce(app, { params: { authorization: key.authorization } });
  const { sql } = app.database;
  await sql`alter table api_keys rename to away`;
  await expect
    .poll(async () => (await send({ ...app, ...key }, '{ __typename }')).errors?.[0]?.extensions?.['code'])
    .toBe('UNAVAILABLE');
  expect(socket.readyState).toBe(socket.OPEN);
  await sql`update away set revoked_at = now()`;
  await sql`alter table away rename to api_keys`;
  expect(await closed).toEqual({ code: 4401, reason: 'Unauthorized' });
});
