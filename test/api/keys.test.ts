import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { newApiKey } from '../../src/protocol/api-keys.ts';
import { startDatabaseProxy } from '../support/database-proxy.ts';
import { ask, createResponse, readResponse, send } from '../support/graphql.ts';
import { createKey, introduce, startKeyApp } from '../support/keys.ts';
import { collect, TRANSPORTS } from '../support/stream.ts';

const QUERY = '{ __typename }';
const JSON_TYPE = { 'content-type': 'application/json' };

/** The ways in over HTTP, with whatever headers a caller sends. */
const WAYS = {
  POST: (url: string, headers: HeadersInit) =>
    fetch(url, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      body: JSON.stringify({ query: QUERY }),
    }),
  GET: (url: string, headers: HeadersInit) => fetch(`${url}?query=${encodeURIComponent(QUERY)}`, { headers }),
  'GET of a browser': (url: string, headers: HeadersInit) =>
    fetch(`${url}?query=${encodeURIComponent(QUERY)}`, {
      headers: { ...headers, accept: 'application/graphql-response+json, application/json;q=0.9' },
    }),
  SSE: (url: string, headers: HeadersInit) =>
    fetch(url, {
      method: 'POST',
      headers: { ...JSON_TYPE, accept: 'text/event-stream', ...headers },
      body: JSON.stringify({ query: 'subscription { responseStream(id: "resp_0") { cursor } }' }),
    }),
};

/** What lets nobody in, by a name. */
const REFUSED = async () => {
  const app = await startKeyApp();
  const { key } = await createKey(app);
  const expired = await createKey(app, { expiresAt: new Date(Date.now() - 1000) });
  const revoked = await createKey(app);
  await app.database.sql`update api_keys set revoked_at = now() where id = ${revoked.id}`;
  const credentials = {
    'an empty one': '',
    'a bare key': key,
    'another scheme': `Basic ${Buffer.from(`user:${key}`).toString('base64')}`,
    'a scheme alone': 'Bearer',
    'a key that is not known': `Bearer ${newApiKey()}`,
    'a key with a digit changed': `Bearer ${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`,
    'a longer key': `Bearer ${key}0`,
    'a key of 8 kB': `Bearer ${'a'.repeat(8192)}`,
    'two keys': `Bearer ${key}, Bearer ${newApiKey()}`,
    'an expired key': expired.authorization,
    'a revoked key': revoked.authorization,
  };
  return { app, credentials, key };
};

test('a key lets in over HTTP and SSE, however the scheme is spelled; anything else is 401 and says so', async () => {
  const { app, credentials, key } = await REFUSED();
  await using _ = app;
  for (const [way, fetchBy] of Object.entries(WAYS)) {
    for (const authorization of [`Bearer ${key}`, `bearer ${key}`, `BEARER   ${key}`]) {
      const answer = await fetchBy(app.url, { authorization });
      expect(answer.status, way).toBe(200);
      expect(await answer.text(), way).toContain(way === 'SSE' ? 'NOT_FOUND' : '"__typename":"Query"');
    }
    const none = await fetchBy(app.url, {});
    expect(none.headers.get('www-authenticate')).toBe('Bearer');
    for (const [name, authorization] of [['none', undefined], ...Object.entries(credentials)] as const) {
      const answer = await fetchBy(app.url, authorization === undefined ? {} : { authorization });
      expect(answer.status, `${way}, ${name}`).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      const body = await answer.text();
      expect(JSON.parse(body)).toEqual({
        errors: [{ message: expect.any(String), extensions: { code: 'UNAUTHENTICATED' } }],
      });
      expect(body).not.toContain(key);
    }
  }
});

test('a key lets a WebSocket in, from its parameters or its request; anything else closes it with 4401', async () => {
  const { app, credentials, key } = await REFUSED();
  await using _ = app;
  const authorization = `bearer ${key}`;
  for (const introduction of [
    { params: { authorization } },
    { params: { Authorization: authorization } },
    { headers: { authorization } },
    { params: { authorization }, headers: { authorization } },
  ]) {
    const { isIn, socket } = await introduce(app, introduction);
    expect(isIn).toBe(true);
    socket.terminate();
  }
  const others = Object.entries(credentials);
  for (const [name, introduction] of [
    ['none', {}],
    ['no text', { params: { authorization: { key } } }],
    ['in the address', { search: `?authorization=${authorization}&key=${key}` }],
    ['two that differ', { params: { authorization, Authorization: `Bearer ${newApiKey()}` } }],
    [
      'another than the request',
      { params: { authorization }, headers: { authorization: `Bearer ${newApiKey()}` } },
    ],
    ...others.map(([name, value]) => [name, { params: { authorization: value } }] as const),
    ...others.map(
      ([name, value]) => [`${name}, as a header`, { headers: { authorization: value } }] as const,
    ),
  ] as const) {
    const { isIn, closed } = await introduce(app, introduction);
    expect(isIn, name).toBe(false);
    expect(await closed, name).toEqual({ code: 4401, reason: 'Unauthorized' });
  }
});

test('of two Authorization headers none counts, and neither does a key in the address', async () => {
  await using app = await startKeyApp();
  const { key, authorization } = await createKey(app);
  const statusOf = async (values: readonly string[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const { host } = new URL(app.url);
    const repeated = values.flatMap((value) => ['authorization', value]);
    const headers = [
      'host',
      host,
      'content-type',
      'application/json',
      'transfer-encoding',
      'chunked',
      ...repeated,
    ];
    request(app.url, { method: 'POST', headers }, async (answer) => {
      await text(answer);
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end(JSON.stringify({ query: QUERY }));
    return promise;
  };
  expect(await statusOf([authorization])).toBe(200);
  expect(await statusOf([authorization, `Bearer ${newApiKey()}`])).toBe(401);
  expect(await statusOf([`Bearer ${newApiKey()}`, authorization])).toBe(401);
  for (const name of ['authorization', 'access_token', 'key', 'token'])
    expect((await fetch(`${app.url}?query={__typename}&${name}=${key}`)).status).toBe(401);
});

test('what says how the server is, and the page of the playground, need no key; whatever it sends does', async () => {
  await using app = await startKeyApp();
  for (const path of ['/health', '/ready']) expect((await fetch(new URL(path, app.url))).status).toBe(200);
  const page = await fetch(app.url, { headers: { accept: 'text/html' } });
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).toContain('Authorization');
  const asked = await fetch(`${app.url}?query=${encodeURIComponent(QUERY)}`, {
    headers: { accept: 'text/html' },
  });
  expect(await asked.text()).not.toContain('"__typename":"Query"');
  expect((await fetch(app.url, { method: 'PUT' })).status).toBe(401);
});

test('while the database is away nobody new is let in, and none is called unauthorized', async () => {
  await using ground = await startKeyApp();
  await using proxy = await startDatabaseProxy(ground.database.url);
  await using app = await startKeyApp({ beside: ground, config: { databaseUrl: proxy.url } });
  const { authorization } = await createKey(ground);
  await proxy.goAway();
  const answer = await WAYS.POST(app.url, { authorization });
  expect(answer.status).toBe(503);
  expect((await answer.json()).errors[0].extensions.code).toBe('UNAVAILABLE');
  expect((await introduce(app, { params: { authorization } })).isIn).toBe(false);
  expect(await (await introduce(app, { params: { authorization } })).closed).toEqual({
    code: 1013,
    reason: 'Try again later',
  });
  expect((await WAYS.POST(app.url, { authorization: 'Bearer nonsense' })).status).toBe(401);
  await proxy.comeBack();
  await expect.poll(async () => (await WAYS.POST(app.url, { authorization })).status).toBe(200);
});

test('callers of two tenants see their own responses, over every transport', async () => {
  await using app = await startKeyApp();
  const owls = { ...app, ...(await createKey(app, { tenant: 'owls' })) };
  const bats = { ...app, ...(await createKey(app, { tenant: 'bats' })) };
  const response = await createResponse(owls, { input: { text: 'Hi' } });
  const listed = async (caller: typeof owls) =>
    (await ask(caller, '{ responses { nodes { id } } }')).responses.nodes;
  expect(await readResponse(owls, response.id)).toEqual(response);
  expect(await readResponse(bats, response.id)).toBeNull();
  expect(await listed(owls)).toEqual([{ id: response.id }]);
  expect(await listed(bats)).toEqual([]);
  for (const transport of TRANSPORTS) {
    expect((await collect(owls, { id: response.id }, transport)).at(-1)?.['response']).toEqual(response);
    await expect(collect(bats, { id: response.id }, transport)).rejects.toBeDefined();
  }
  expect((await send(app, '{ responses { nodes { id } } }')).errors).toMatchObject([
    { extensions: { code: 'UNAUTHENTICATED' } },
  ]);
});

test('the last use of a key is noted, and of the key itself nothing but its hash is kept', async () => {
  await using app = await startKeyApp();
  const { id, key, authorization } = await createKey(app);
  const { sql } = app.database;
  const lastUse = async () =>
    (await sql`select last_used_at from api_keys where id = ${id}`)[0]?.['last_used_at'];
  expect(await lastUse()).toBeNull();
  await createResponse({ ...app, authorization }, { input: { text: 'Hi' } });
  await expect.poll(lastUse).toBeInstanceOf(Date);
  const noted = await lastUse();
  await createResponse({ ...app, authorization }, { input: { text: 'Hi' } });
  expect(await lastUse()).toEqual(noted);
  const tables = await sql`select tablename from pg_tables where schemaname = 'public'`;
  expect(tables.length).toBeGreaterThan(5);
  for (const { tablename } of tables)
    expect(JSON.stringify(await sql`select * from ${sql(tablename)}`)).not.toContain(key.slice(4, 30));
});
