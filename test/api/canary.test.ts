import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { canariesIn, newCanary, repeated } from '../support/canaries.ts';
import { type Answer, calls, feed, json, sends, startChatServer } from '../support/chat-server.ts';
import { startDatabaseProxy } from '../support/database-proxy.ts';
import { CREATE, create, readResponse, send } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { startSearchServer } from '../support/search-server.ts';
import { createDataFolder, type ServerProcess } from '../support/server-process.ts';
import { collect } from '../support/stream.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { call, mcp } from '../support/tools.ts';

vi.setConfig({ testTimeout: 90_000 });

const names = [
  'model',
  'address',
  'search',
  'database',
  'redis',
  'caller',
  'params',
  'mcp',
  'header',
] as const;
const CANARIES = Object.fromEntries(names.map((name) => [name, newCanary(name)]));
const ALL = Object.values(CANARIES);
const canary = (name: (typeof names)[number]) => CANARIES[name] ?? '';
const inUrl = (name: (typeof names)[number]) => encodeURIComponent(canary(name));

/** Whatever was sent, in every form. */
const echoes: Answer = (exchange) =>
  json(401, { error: { message: whatWasSent(exchange.request.headers) } })(exchange);
const echoesInText: Answer = (exchange) =>
  sends(whatWasSent(exchange.request.headers), { status: 500, type: 'text/plain' })(exchange);
const echoesInStream: Answer = (exchange) =>
  sends(
    `data: ${JSON.stringify({ error: { message: whatWasSent(exchange.request.headers), code: 400 } })}\n\n`,
  )(exchange);

function whatWasSent(headers: { readonly [name: string]: unknown }): string {
  const sent = String(headers['authorization']);
  return `${sent} ${repeated(sent.replace(/^\S+ /, ''))}`;
}

/** A Redis that repeats what it is asked in its refusals, password included. */
async function startRefusingRedis() {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) =>
      socket.write(`-WRONGPASS not ${String(bytes).replace(/[\r\n]+/g, ' ')}\r\n`),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

/** A login with a password of the test's own, as an operator would have one. */
async function loginWith(database: TestDatabase) {
  const name = `canary_${process.pid}`;
  const quoted = canary('database').replaceAll("'", "''");
  await database.sql.unsafe(
    `create role ${name} superuser login password E'${quoted.replaceAll('\\', '\\\\')}'`,
  );
  const url = new URL(database.url);
  url.username = name;
  url.password = inUrl('database');
  return {
    url: String(url),
    async [Symbol.asyncDispose]() {
      await database.sql.unsafe(`reassign owned by ${name} to current_user`);
      await database.sql.unsafe(`drop owned by ${name}; drop role ${name}`);
    },
  };
}

/** Bytes as they are; what comes back. */
async function raw({ url }: ServerProcess, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes;
  });
  socket.on('error', () => {});
  socket.end(text);
  await once(socket, 'close');
  return answer;
}

/** A WebSocket that is full of secrets, and says these things. */
async function overSocket({ url }: ServerProcess, messages: readonly string[]): Promise<string> {
  const headers = { authorization: `Bearer ${canary('caller')}` };
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { headers });
  let heard = '';
  socket.on('message', (data) => {
    heard += data;
    if (String(data).includes('connection_ack')) for (const each of messages) socket.send(each);
  });
  socket.on('error', () => {});
  await once(socket, 'open');
  const payload = {
    authorization: `Bearer ${canary('params')}`,
    [canary('params')]: { any: canary('params') },
  };
  socket.send(JSON.stringify({ type: 'connection_init', payload }));
  const [code, reason] = await once(socket, 'close');
  return `${heard} ${code} ${reason}`;
}

test.concurrent('no secret is found in the log, the output, the database, answers or events, whatever goes wrong', async () => {
  await using upstream = await startChatServer();
  await using search = await startSearchServer();
  await using redis = await startRefusingRedis();
  await using database = await createTestDatabase();
  await using login = await loginWith(database);
  await using proxy = await startDatabaseProxy(login.url);
  await using folder = await createDataFolder();
  const repeats = () => repeated(canary('mcp')) + repeated(canary('header'));
  await using chatty = await startMcpServer({ tools: { tell: { run: repeats } } });
  await using refusing = await startMcpServer({ token: 'another' });
  const bomb = join(folder.path, 'bomb.mjs');
  await writeFile(
    bomb,
    `process.on('SIGUSR2', () => {
      const headers = { authorization: 'Bearer ' + process.env.OPENAI_API_KEY };
      const cause = Object.assign(new Error('caused by ' + headers.authorization), { request: { headers } });
      throw Object.assign(new AggregateError([cause], process.env.DATABASE_URL), { cause, headers });
    });`,
  );
  const base = new URL(upstream.baseUrl);
  const server = await folder.run({
    OPENAI_BASE_URL: `http://user:${inUrl('address')}@${base.host}/v1`,
    OPENAI_API_KEY: canary('model'),
    SEARXNG_URL: `http://user:${inUrl('search')}@${new URL(search.baseUrl).host}`,
    REDIS_URL: `redis://user:${inUrl('redis')}@127.0.0.1:${redis.port}`,
    DATABASE_URL: proxy.url,
    DEFAULT_MODEL: 'test-model',
    MCP_ALLOW_PRIVATE: 'true',
    LOG_LEVEL: 'trace',
    NODE_OPTIONS: `--import ${bomb}`,
  });
  expect(server.url).not.toBe('');
  const told: unknown[] = [];
  const input = { text: 'Hi' };
  const secrets = { authorization: canary('mcp'), headers: { 'x-key': canary('header') } };
  const tools = [mcp('chatty', chatty, secrets), mcp('refusing', refusing, secrets), { webSearch: {} }];

  // What works.
  upstream.enqueue(calls([call('tell'), call('web_search', { query: 'birds' })]));
  const worked = await create(server, { input, tools, stream: true, idempotencyKey: 'once' });
  const events = await collect(server, { id: worked.response.id });
  expect(events.at(-1)?.['response'].status).toBe('COMPLETED');
  told.push(worked, events, await readResponse(server, worked.response.id));

  // A model's server that repeats what it was sent, or cannot be reached as it should.
  const dies: Answer = ({ answer }) => void answer.destroy();
  const wanders: Answer = ({ answer, request }) =>
    void answer
      .writeHead(307, {
        location: `${refusing.url}?sent=${encodeURIComponent(String(request.headers.authorization))}`,
      })
      .end();
  for (const answers of [
    [echoes],
    [echoesInText, echoesInText, echoesInText],
    [echoesInStream],
    [dies, dies, dies],
    [wanders],
  ]) {
    upstream.enqueue(...answers);
    const failed = await create(server, { input });
    expect(failed.response.status).toBe('FAILED');
    told.push(failed);
  }
  // A search that fails, with the login in its words.
  search.enqueue(({ headers, answer }) => {
    const login = Buffer.from(String(headers.authorization).replace('Basic ', ''), 'base64').toString();
    answer.writeHead(403).end(`${headers.authorization} ${repeated(login)}`);
  });
  upstream.enqueue(calls([call('web_search', { query: 'fish' })]));
  told.push(await create(server, { input, tools: [{ webSearch: {} }] }));

  // Requests that are refused, with the secrets of their callers.
  const wrong = { ...secrets, authorization: 5, headers: { ...secrets.headers, Host: canary('header') } };
  told.push(await send(server, CREATE, { input: { input, tools: [mcp('x', chatty, wrong)] } }));
  told.push(
    await send(server, CREATE, { input: { input, tools: [mcp('x', chatty, { ...secrets, nope: 1 })] } }),
  );
  told.push(
    await send(server, CREATE, { input: { input, tools: [mcp('x', chatty, { ...secrets, serverUrl: 1 })] } }),
  );
  told.push(
    await send(server, CREATE, {
      input: { input, tools: [mcp('x', chatty, { headers: canary('header') })] },
    }),
  );
  told.push(await send(server, CREATE, { input: { input, temperature: 9, tools: [...tools, ...tools] } }));
  const head = `Host: x\r\nAuthorization: Bearer ${canary('caller')}\r\nCookie: key=${canary('caller')}\r\n`;
  told.push(
    await raw(
      server,
      `POST /graphql HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 60\r\nConnection: close\r\n\r\n{"query": "${canary('caller').padEnd(48, '.')}`,
    ),
  );
  told.push(
    await raw(
      server,
      `GET /graphql?query={a&variables=${inUrl('caller')} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`,
    ),
  );
  told.push(await raw(server, `GET http://[${inUrl('caller')} HTTP/1.1\r\n${head}\r\n`));
  told.push(await raw(server, `NOPE ${canary('caller')}\r\n${head}\r\n`));
  const subscribe = (payload: object) => JSON.stringify({ type: 'subscribe', id: '1', payload });
  told.push(await overSocket(server, [subscribe({ query: '{ nope }' }), `{"type":"${canary('params')}`]));
  told.push(await overSocket(server, [JSON.stringify({ type: canary('params') })]));
  told.push(await overSocket(server, [subscribe({ query: 5, [canary('params')]: 1 })]));
  told.push(
    await overSocket(server, [
      subscribe({ query: CREATE, variables: { input: { input, tools: [mcp('x', chatty, wrong)] } } }),
      '',
    ]),
  );

  // The database goes away in the middle of a run, and comes again.
  const speech = feed();
  upstream.enqueue(speech.answer);
  const cut = await create(server, { input, stream: true });
  await speech.say('Before. ');
  await proxy.goAway();
  told.push(await send(server, '{ responses { nodes { id } } }'));
  await speech.say('After.');
  await proxy.comeBack();
  await speech.end();
  await vi.waitUntil(
    async () =>
      (await send(server, `{ response(id: "${cut.response.id}") { status } }`)).data?.response?.status ===
      'COMPLETED',
    { timeout: 20_000 },
  );

  // The process breaks.
  server.child.kill('SIGUSR2');
  const { code, out, err } = await server.ended;
  expect(code).toBe(1);
  expect(err).toContain('the process breaks off');
  for (const line of err.trim().split('\n'))
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number) });

  const tables = await database.sql<{ name: string }[]>`
    select table_schema || '.' || table_name as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema')`;
  expect(tables.length).toBeGreaterThan(4);
  for (const { name } of tables)
    told.push(await database.sql.unsafe(`select to_json(t)::text as row from ${name} t`));
  told.push(upstream.exchanges.map(({ body }) => body));
  expect(canariesIn(JSON.stringify(told), ALL)).toEqual([]);
  expect(canariesIn(out, ALL)).toEqual([]);
  expect(canariesIn(err, ALL)).toEqual([]);
  // They were there to be found.
  expect(upstream.exchanges[0]?.request.headers.authorization).toBe(`Bearer ${canary('model')}`);
});

test.concurrent('a start without a database shows no password', async () => {
  await using folder = await createDataFolder();
  const server = await folder.run({ DATABASE_URL: `postgres://user:${inUrl('database')}@127.0.0.1:1/db` });
  const { code, out, err } = await server.ended;
  expect(code).toBe(1);
  expect(err.trim().split('\n')).toHaveLength(1);
  expect(canariesIn(out + err, ALL)).toEqual([]);
});

test.concurrent('a start with the wrong password says so, and not which', async () => {
  await using database = await createTestDatabase();
  await using folder = await createDataFolder();
  const url = new URL(database.url);
  url.password = inUrl('database');
  const server = await folder.run({ DATABASE_URL: String(url) });
  const { code, out, err } = await server.ended;
  expect(canariesIn(out + err, ALL)).toEqual([]);
  if (code !== 0 && code !== null) expect(err).toContain('password');
  else server.child.kill();
});
