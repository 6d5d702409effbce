import { expect, test, vi } from 'vitest';
import { feed, hangsAfter } from '../support/chat-server.ts';
import { type DatabaseProxy, startDatabaseProxy } from '../support/database-proxy.ts';
import { CREATE, createResponse, readResponse, send } from '../support/graphql.ts';
import { watchFollowers } from '../support/followers.ts';
import { collect, follow, TRANSPORTS } from '../support/stream.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../support/test-app.ts';

interface Setting extends AsyncDisposable {
  readonly app: TestApp;
  readonly proxy: DatabaseProxy;
  /** Another app behind the same proxy. */
  beside(): Promise<TestApp>;
}

/** An app whose way to its database the test can cut. */
async function startBehindProxy({ timing, config: more }: TestAppOptions = {}): Promise<Setting> {
  const direct = await startTestApp();
  const proxy = await startDatabaseProxy(direct.database.url);
  const config = { databaseUrl: proxy.url, modelIdleTimeoutMs: 60_000, ...more };
  const beside = () => startTestApp({ beside: direct, config, timing });
  const app = await beside();
  return {
    app,
    proxy,
    beside,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await direct[Symbol.asyncDispose]();
    },
  };
}

async function started(app: TestApp) {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  return { id: id as string, upstream };
}

/** Resolves once the log, asked directly, holds this text. */
async function logged({ database: { sql } }: TestApp, text: string): Promise<void> {
  await expect
    .poll(() => sql`select 1 from events where body like ${`%${text}%`}`, { timeout: 8000, interval: 10 })
    .not.toEqual([]);
}

test('connections that are cut in mid-stream, again and again, lose and double nothing', async () => {
  using followers = watchFollowers();
  await using app = await startTestApp();
  const { sql } = app.database;
  const { id, upstream } = await started(app);
  const live = TRANSPORTS.map((transport) => collect(app, { id }, transport));
  await vi.waitUntil(() => followers.count === 2, { timeout: 5000, interval: 5 });
  const words = Array.from({ length: 60 }, (_, word) => `w${word} `);
  for (const [index, word] of words.entries()) {
    await upstream.say(word);
    if (index % 10 !== 5) continue;
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and application_name = 'responses-graphql'`;
  }
  await upstream.end();
  const [one, other] = await Promise.all(live);
  expect(other).toEqual(one);
  expect(one?.map((event) => event['delta'] ?? '').join('')).toBe(words.join(''));
  expect(one?.at(-1)?.['response']).toMatchObject({ status: 'COMPLETED', outputText: words.join('') });
  const [row] = await sql`select count(*)::int as ends from events where body like '%"response.completed"%'`;
  expect(row?.['ends']).toBe(1);
});

test('while the database refuses connections every request gets UNAVAILABLE, and /ready says so', async () => {
  await using setting = await startBehindProxy();
  const { app, proxy } = setting;
  const { id } = await createResponse(app, { input: { text: 'Hi' } });
  await proxy.goAway();
  const variables = { id, input: { input: { text: 'Hi' } } };
  for (const query of [
    CREATE,
    'query ($id: ID!) { response(id: $id) { id } }',
    'query ($id: ID!) { node(id: $id) { id } }',
    '{ responses { nodes { id } totalCount } }',
    'mutation ($id: ID!) { deleteResponse(input: { id: $id }) { deletedId } }',
  ]) {
    const { errors } = await send(app, query, variables);
    expect(errors, query).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
    expect(JSON.stringify(errors)).not.toMatch(/ECONNREFUSED|127\.0\.0\.1|select|insert/);
  }
  for (const transport of TRANSPORTS) {
    const refusal = await collect(app, { id }, transport).catch((error) => error);
    expect(JSON.stringify(refusal.errors ?? refusal)).toContain('"UNAVAILABLE"');
  }
  expect((await fetch(new URL('/ready', app.url))).status).toBe(503);
  expect((await fetch(new URL('/health', app.url))).status).toBe(200);
  await proxy.comeBack();
  await vi.waitUntil(async () => (await fetch(new URL('/ready', app.url))).ok, { timeout: 3000 });
  expect(await createResponse(app, { input: { text: 'Hi' } })).toMatchObject({ status: 'COMPLETED' });
});

test('a stream pauses while the database is away and goes on within two seconds of its return', async () => {
  await using setting = await startBehindProxy();
  const { app, proxy } = setting;
  const { id, upstream } = await started(app);
  const live = collect(app, { id });
  await upstream.say('before ');
  await logged(app, 'before ');
  await proxy.goAway();
  await upstream.say('during ');
  // As long as it takes until a client that backs off further and further would come too late.
  await new Promise((resolve) => setTimeout(resolve, 4000));
  await proxy.comeBack();
  const back = performance.now();
  await logged(app, 'during ');
  expect(performance.now() - back).toBeLessThan(2000);
  await upstream.say('after');
  await upstream.end();
  expect((await live).at(-1)?.['response']).toMatchObject({
    status: 'COMPLETED',
    outputText: 'before during after',
  });
});

test('a commit whose outcome nobody learnt is neither lost nor doubled', async () => {
  await using setting = await startBehindProxy();
  const { app, proxy } = setting;
  const { id, upstream } = await started(app);
  const live = collect(app, { id });
  for (const word of ['first', 'second', 'third']) {
    const swallowed = proxy.swallowAnswerTo(word);
    await upstream.say(word);
    await swallowed;
    await logged(app, word);
  }
  const swallowed = proxy.swallowAnswerTo('response.completed');
  await upstream.end();
  await swallowed;
  const events = await live;
  expect(events.map((event) => event['delta'] ?? '').join('')).toBe('firstsecondthird');
  expect(await readResponse(app, id)).toEqual(events.at(-1)?.['response']);
});

test.each([{}, { idempotencyKey: 'k' }, { stream: true }])(
  'a request whose commit nobody learnt of (%o) starts its run once and leaves none behind that nobody runs',
  async (more) => {
    await using setting = await startBehindProxy();
    const { app, proxy } = setting;
    const swallowed = proxy.swallowAnswerTo('commit');
    const response = await createResponse(app, { input: { text: 'Hi' }, ...more });
    await swallowed;
    expect((await collect(app, { id: response.id })).at(-1)?.['response']).toMatchObject({
      status: 'COMPLETED',
      outputText: 'ok',
    });
    expect(await app.database.sql`select status from responses`).toEqual([{ status: 'completed' }]);
    expect(app.upstream.exchanges).toHaveLength(1);
  },
);

test('a follower whose first look into the log failed is given what was said, though the model is quiet', async () => {
  await using setting = await startBehindProxy();
  const { app, proxy } = setting;
  const { id, upstream } = await started(app);
  await upstream.say('Hm');
  await logged(app, 'Hm');
  const swallowed = proxy.swallowAnswerTo('first >= coalesce');
  for await (const event of follow(app, { id })) if (event['delta'] === 'Hm') break;
  await swallowed;
  await upstream.end();
});

test('a caller that leaves while the database is away stops the model at once; CANCELLED is stored later', async () => {
  await using setting = await startBehindProxy();
  const { app, proxy } = setting;
  app.upstream.enqueue(hangsAfter('Half'));
  const caller = new AbortController();
  const variables = { input: { input: { text: 'Hi' } } };
  send(app, CREATE, variables, caller.signal).catch(() => {});
  await logged(app, 'Half');
  await proxy.goAway();
  const { closed } = await app.upstream.received(1);
  const left = performance.now();
  caller.abort();
  await closed;
  expect(performance.now() - left).toBeLessThan(1000);
  await proxy.comeBack();
  await logged(app, 'response.cancelled');
  const rows = await app.database.sql`select status from responses`;
  expect(rows).toEqual([{ status: 'cancelled' }]);
});

const SHORT = { lease: { leaseMs: 800, renewMs: 100, sweepMs: 50 } };

test.each(['refuses connections', 'answers nothing'])(
  'when a database that %s for longer than a lease is back, nobody is declared dead for it',
  async (how) => {
    await using setting = await startBehindProxy({ timing: SHORT });
    const { app, proxy } = setting;
    const { sql } = app.database;
    await using _ = await setting.beside();
    const { id, upstream } = await started(app);
    await upstream.say('Still ');
    await logged(app, 'Still ');
    if (how === 'answers nothing') proxy.freeze();
    else await proxy.goAway();
    await expect
      .poll(() => sql`select 1 from processes where expires_at > now() and expires_at < now() + '5 s'`, {
        timeout: 5000,
      })
      .toEqual([]);
    if (how === 'answers nothing') proxy.thaw();
    else await proxy.comeBack();
    await upstream.say('here');
    await upstream.end();
    await logged(app, '"status":"completed"');
    expect(await readResponse(app, id)).toMatchObject({ status: 'COMPLETED', outputText: 'Still here' });
    expect(await sql`select id from processes where ended_at is not null`).toEqual([]);
  },
);

test('a run whose events the database refuses ends as FAILED; the runs beside it notice nothing', async () => {
  await using app = await startTestApp();
  await app.database.sql`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'not this word' using errcode = '22000'; end $$`;
  await app.database.sql`create trigger refuse before insert on events for each row
    when (new.body like '%unspeakable%') execute function refuse()`;
  const [bad, good] = [await started(app), await started(app)];
  await bad.upstream.say('Fine ');
  await logged(app, 'Fine ');
  await Promise.all([bad.upstream.say('unspeakable'), good.upstream.say('Quite fine')]);
  const events = await collect(app, { id: bad.id });
  expect(events.at(-1)?.['response']).toMatchObject({
    status: 'FAILED',
    outputText: 'Fine ',
    error: { code: 'server_error' },
  });
  await (await bad.upstream.open).closed;
  await good.upstream.end();
  expect((await collect(app, { id: good.id })).at(-1)?.['response']).toMatchObject({
    status: 'COMPLETED',
    outputText: 'Quite fine',
  });
});
