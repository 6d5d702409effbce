import { expect, test, vi } from 'vitest';
import { feed, hangsAfter, json, says } from '../support/chat-server.ts';
import { ask, createResponse, send, type Target } from '../support/graphql.ts';
import { createKey, introduce, startKeyApp } from '../support/keys.ts';
import { openSocket } from '../support/raw-socket.ts';
import { follow, STREAM } from '../support/stream.ts';
import { NO_LIMITS, startTestApp, type TestApp } from '../support/test-app.ts';

const START = `mutation ($input: CreateResponseInput!) {
  createResponse(input: $input) {
    response { id status }
    errors { __typename code message path ... on LimitError { retryAfterSeconds } }
  }
}`;

async function start(app: Target, input: object) {
  return (await ask(app, START, { input: { input: { text: 'Hi' }, ...input } })).createResponse;
}

const refusedFor = (retryAfterSeconds: unknown) => ({
  response: null,
  errors: [
    {
      __typename: 'LimitError',
      code: 'LIMIT_EXCEEDED',
      message: expect.any(String),
      path: null,
      retryAfterSeconds,
    },
  ],
});

/** Two callers of one server, each with a key of its own. */
async function twoCallers(app: TestApp) {
  return [
    { ...app, ...(await createKey(app)) },
    { ...app, ...(await createKey(app)) },
  ] as const;
}

test('a key has so many WebSockets at once; one more is told to come again, until another has closed', async () => {
  await using app = await startKeyApp({ config: { keyLimits: { ...NO_LIMITS, connections: 2 } } });
  const [one, other] = await twoCallers(app);
  const open = ({ authorization }: typeof one) => introduce(app, { params: { authorization } });
  const sockets = [await open(one), await open(one)];
  expect(sockets.map(({ isIn }) => isIn)).toEqual([true, true]);
  const third = await open(one);
  expect(third.isIn).toBe(false);
  expect(await third.closed).toEqual({ code: 1013, reason: 'Too many connections' });
  const others = await open(other);
  expect(others.isIn).toBe(true);
  sockets[0]?.socket.terminate();
  await expect.poll(async () => (await open(one)).isIn, { timeout: 10_000 }).toBe(true);
  for (const { socket } of [...sockets, others]) socket.terminate();
});

test('a key has so many subscriptions at once, over WebSocket and SSE together', async () => {
  await using app = await startKeyApp({ config: { keyLimits: { ...NO_LIMITS, subscriptions: 2 } } });
  const [one, other] = await twoCallers(app);
  app.upstream.enqueue(hangsAfter('Well'));
  const { id } = await createResponse(one, { input: { text: 'Hi' }, stream: true });
  const begin = async (caller: Target, transport: 'WebSocket' | 'SSE') => {
    const events = follow(caller, { id }, transport);
    expect((await events.next()).value).toMatchObject({ sequenceNumber: 0 });
    return events;
  };
  const running = [await begin(one, 'WebSocket'), await begin(one, 'SSE')];
  const error = { extensions: { code: 'LIMIT_EXCEEDED', retryAfterSeconds: 5 } };
  await expect(begin(one, 'WebSocket')).rejects.toMatchObject({ errors: [error] });
  const query = `subscription { responseStream(id: "${id}") { cursor } }`;
  const headers = {
    accept: 'text/event-stream',
    'content-type': 'application/json',
    authorization: one.authorization,
  };
  const answer = await fetch(app.url, { method: 'POST', headers, body: JSON.stringify({ query }) });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '5']);
  expect(await answer.text()).toContain('"code":"LIMIT_EXCEEDED"');
  const others = await begin(other, 'SSE');
  for (const transport of ['WebSocket', 'SSE'] as const) {
    await running.shift()?.return();
    running.push(await vi.waitFor(() => begin(one, transport), { timeout: 10_000 }));
  }
  for (const events of [...running, others]) await events.return();
});

test('subscriptions that fail, complete or are left at once take no place for longer', async () => {
  await using app = await startTestApp({ config: { keyLimits: { ...NO_LIMITS, subscriptions: 1 } } });
  const { id } = await createResponse(app, { input: { text: 'Hi' } });
  for (const transport of ['WebSocket', 'SSE', 'WebSocket', 'SSE'] as const) {
    const whole = async () => (await Array.fromAsync(follow(app, { id }, transport))).length;
    await expect.poll(() => whole().catch(() => 0), { timeout: 10_000 }).toBeGreaterThan(5);
    const unknown = `resp_${'0'.repeat(32)}`;
    const code = async () => {
      const error = await Array.fromAsync(follow(app, { id: unknown }, transport)).catch((reason) => reason);
      return error.errors?.[0]?.extensions?.code ?? error[0]?.extensions?.code ?? JSON.stringify(error);
    };
    await expect.poll(code, { timeout: 10_000 }).toBe('NOT_FOUND');
  }
  const socket = await openSocket(app);
  for (let number = 0; number < 20; number++) {
    socket.subscribe(String(number), STREAM, { id });
    socket.send({ type: 'complete', id: String(number) });
  }
  await expect
    .poll(async () => (await Array.fromAsync(follow(app, { id })).catch(() => [])).length, {
      timeout: 10_000,
    })
    .toBeGreaterThan(5);
  socket.socket.terminate();
});

test('a key has so many runs in flight, and every way in which one ends makes room', async () => {
  await using app = await startKeyApp({ config: { keyLimits: { ...NO_LIMITS, runs: 1 } } });
  const [one, other] = await twoCallers(app);
  const inFlight = async (caller: Target, input: object = { stream: true }) => {
    const upstream = feed();
    app.upstream.enqueue(upstream.answer);
    const { response } = await start(caller, input);
    await upstream.open;
    return { id: response.id, upstream };
  };
  const cancel = (id: string) =>
    ask(one, 'mutation ($id: ID!) { cancelResponse(input: { id: $id }) { response { status } } }', { id });
  const ends = {
    completed: ({ upstream }: Awaited<ReturnType<typeof inFlight>>) => upstream.end(),
    cancelled: async ({ id }: Awaited<ReturnType<typeof inFlight>>) => void (await cancel(id)),
  };
  for (const [name, end] of Object.entries(ends)) {
    for (const input of [{ stream: true }, { stream: true, store: false }]) {
      const run = await inFlight(one, input);
      expect(await start(one, input), name).toEqual(refusedFor(5));
      await end(run);
      await expect
        .poll(async () => (await start(one, { metadata: { again: name } })).errors, { timeout: 10_000 })
        .toEqual([]);
    }
  }
  app.upstream.enqueue(json(400, { error: { message: 'No.' } }));
  expect((await start(one, {})).response.status).toBe('FAILED');
  expect((await start(one, { model: '' })).errors[0].code).toBe('INVALID_INPUT');
  expect((await start(one, { background: true })).errors).toEqual([]);
  app.upstream.enqueue(hangsAfter('Well'));
  const leaving = new AbortController();
  const left = send(one, START, { input: { input: { text: 'Hi' } } }, leaving.signal).catch(() => null);
  await expect.poll(async () => (await start(one, {})).errors).toEqual(refusedFor(5).errors);
  expect((await start(other, {})).errors).toEqual([]);
  leaving.abort();
  await left;
  await expect.poll(async () => (await start(one, {})).errors, { timeout: 10_000 }).toEqual([]);
});

test('a key starts so many runs in a minute; what starts none costs none', async () => {
  await using app = await startKeyApp({ config: { keyLimits: { ...NO_LIMITS, runsPerMinute: 2 } } });
  const [one, other] = await twoCallers(app);
  app.upstream.enqueue(says('One'), says('Two'));
  const keyed = { idempotencyKey: 'once' };
  const first = await start(one, keyed);
  expect((await start(one, { temperature: 9 })).errors[0].code).toBe('INVALID_INPUT');
  for (let times = 0; times < 3; times++) expect(await start(one, keyed)).toEqual(first);
  expect((await start(one, { background: true })).errors).toEqual([]);
  const refused = await start(one, {});
  expect(refused).toEqual(refusedFor(expect.any(Number)));
  const [{ retryAfterSeconds }] = refused.errors;
  expect(retryAfterSeconds).toBeGreaterThan(20);
  expect(retryAfterSeconds).toBeLessThanOrEqual(30);
  expect(await start(one, { background: true })).toEqual(refusedFor(expect.any(Number)));
  expect(await start(one, keyed)).toEqual(first);
  expect((await start(other, {})).errors).toEqual([]);
});

test('of many requests at one moment with one idempotency key one run is started, and counted', async () => {
  await using app = await startKeyApp({
    config: { keyLimits: { ...NO_LIMITS, runsPerMinute: 30, runs: 30 } },
  });
  const [one] = await twoCallers(app);
  const all = await Promise.all(Array.from({ length: 20 }, () => start(one, { idempotencyKey: 'together' })));
  expect(new Set(all.map(({ response }) => response.id)).size).toBe(1);
  const more = await Promise.all(Array.from({ length: 29 }, () => start(one, {})));
  expect(more.flatMap(({ errors }) => errors)).toEqual([]);
});

test('without authentication all callers are one', async () => {
  await using app = await startTestApp({ config: { keyLimits: { ...NO_LIMITS, runsPerMinute: 1 } } });
  expect((await start(app, {})).errors).toEqual([]);
  expect(await start(app, {})).toEqual(refusedFor(expect.any(Number)));
});
