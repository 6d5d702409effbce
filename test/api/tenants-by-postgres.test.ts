import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChatServer } from '../support/chat-server.ts';
import { createResponse } from '../support/graphql.ts';
import { type McpTestServer, startMcpServer } from '../support/mcp-server.ts';
import { PROBES, withoutNames } from '../support/tenant-probes.ts';
import { type Belongings, settle, unheardOf } from '../support/tenant-world.ts';
import { callerOf, startTenantsApp } from '../support/tenants.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { startUnscopingProxy, type UnscopingProxy } from '../support/unscoping-proxy.ts';

/** Tables whose rows belong to tenants. */
const TABLES = ['responses', 'items', 'events', 'idempotency_keys', 'response_metadata'];

let app: TestApp;
let proxy: UnscopingProxy;
let unscoped: TestApp;
let mcp: McpTestServer;
let theirs: Belongings;
let own: Belongings;

beforeAll(async () => {
  app = await startTenantsApp();
  mcp = await startMcpServer({ tools: { write: {} } });
  const settled = async (tenant: string) =>
    (await settle({ app, caller: callerOf(app, tenant), secret: `word-of-the-${tenant}` }, mcp)).belongings;
  theirs = await settled('owner');
  own = await settled('prober');
  proxy = await startUnscopingProxy(app.database.url, 'owner');
  unscoped = await startTenantsApp({ beside: app, config: { databaseUrl: proxy.url } });
});

afterAll(async () => {
  for (const each of [unscoped, proxy, app, mcp]) await each[Symbol.asyncDispose]();
});

/** What a probe finds on the server whose statements say nothing of tenants: of the owner, and of nobody. */
async function look(place: string): Promise<readonly [theirs: string, nobodys: string]> {
  const asking = { caller: callerOf(unscoped, 'prober'), own, mcp };
  const unheard = unheardOf(theirs);
  const found = [];
  for (const handedIn of [theirs, unheard])
    found.push(withoutNames(await PROBES[place]?.ask(asking, handedIn), theirs, unheard));
  const [one = '', other = ''] = found;
  return [one, other];
}

test.each(Object.keys(PROBES))(
  'with no word of tenants in any statement, Postgres alone keeps them apart in %s',
  async (place) => {
    const [found, nobodys] = await look(place);
    expect(found).toBe(nobodys);
    expect(found).not.toContain('<secret>');
    expect(found).not.toMatch(/INTERNAL|UNAVAILABLE/);
  },
);

test('no statement for a caller has gone on with a word of tenants in it', () => {
  expect(proxy.rewritten.size).toBeGreaterThan(12);
  for (const text of proxy.rewritten) expect(text).not.toMatch(/tenant"? (=|in)|, r\.tenant\)|pairs\(\$/);
  const read = new RegExp(`(from|join|update|into) "?(${TABLES.join('|')})\\b`);
  const others = [...proxy.untouched].filter((text) => read.test(text) && !isClockwork(text));
  expect(others).toEqual([]);
});

/** What acts for nobody, or comes after a statement that says whose it is. */
function isClockwork(text: string): boolean {
  return /processes|dead as|with (old|removed|needed|asked) as|cancel_requested_at is not null|followed_at >|deleted_at </.test(
    text,
  );
}

// The last: what this finds, it changes.
test('the same statements find everything once row-level security is off', async () => {
  for (const table of TABLES)
    await app.database.sql.unsafe(`alter table ${table} disable row level security`);
  const blind = [];
  for (const [place, { finds }] of Object.entries(PROBES)) {
    const [found, nobodys] = await look(place);
    if ((found !== nobodys || found.includes('<secret>')) !== finds) blind.push(place);
  }
  expect(blind).toEqual([]);
}, 60_000); // every probe, twice

test('a server does not start while nothing keeps tenants apart in a table', async () => {
  await using database = await createTestDatabase();
  await using upstream = await startChatServer();
  const beside = { database, upstream };
  for (const table of TABLES) {
    await database.sql.unsafe(`alter table ${table} disable row level security`);
    await expect(startTestApp({ beside })).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining(`run "ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;"`),
    });
    await database.sql.unsafe(`alter table ${table} enable row level security`);
  }
  await using started = await startTestApp({ beside });
  expect(await createResponse(started, { input: { text: 'Hi' } })).toMatchObject({ status: 'COMPLETED' });
});
