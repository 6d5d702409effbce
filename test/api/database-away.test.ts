import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { startBehindProxy } from '../support/behind-proxy.ts';
import { feed, hangsAfter } from '../support/chat-server.ts';
import { watchFollowers } from '../support/followers.ts';
import { CREATE, createResponse, readResponse, send } from '../support/graphql.ts';
import { collect, follow, TRANSPORTS } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

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
  using followers = watchFollowers();
  const { id, upstream } = await started(app);
  const live = collect(app, { id });
  await vi.waitUntil(() => followers.count === 1, { interval: 5 });
  await upstream.say('before ');
  await logged(app, 'before ');
  await proxy.goAway();
  await upstream.say('during ');
  await delay(4000); // so long that a client which waits twice as long each time would come back too late
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
  using followers = watchFollowers();
  const { id, upstream } = await started(app);
  const live = collect(app, { id });
  await vi.waitUntil(() => followers.count === 1, { interval: 5 });
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
    const swallowed = proxy.swallowAnswerTo('Remember me');
    const response = await createResponse(app, { input: { text: 'Remember me' }, ...more });
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
  await using owner = await startTestApp(); // of its own runs a server remembers the beginning
  await using setting = await startBehindProxy({ beside: owner });
  const { app, proxy } = setting;
  const { id, upstream } = await started(owner);
  await upstream.say('Hm');
  await logged(owner, 'Hm');
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
