import postgres from 'postgres';
import { expect, inject, test } from 'vitest';
import { migrateDatabase, openDatabase } from '../../src/store/database.ts';
import { secureTenants } from '../../src/store/tenants/secure-tenants.ts';
import { createTestDatabase } from '../support/test-database.ts';

/** A login that may do nothing but what the owner of a database may, and its database. */
async function plainLogin(rights = '') {
  const server = inject('postgresUrl');
  const name = `plain_${process.pid}_${rights.length}`;
  const admin = postgres(`${server}postgres`, { max: 1, onnotice: () => {} });
  await admin.unsafe(`create role ${name} login password 'plain' ${rights}`);
  await admin.unsafe(`create database ${name} owner ${name}`);
  const url = new URL(`${server}${name}`);
  url.username = name;
  url.password = 'plain';
  return {
    name,
    url: url.href,
    admin,
    async [Symbol.asyncDispose]() {
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.unsafe(`drop owned by ${name}`);
      await admin.unsafe(`drop role ${name}`);
      await admin.end();
    },
  };
}

async function works(url: string): Promise<void> {
  const database = openDatabase(url);
  const rows = await database.as({ tenant: 'x' }, (sql) => sql`select id from responses`);
  expect(rows).toEqual([]);
  await database.close();
}

test('a login that may not use the role of tenants is told what to run, and starts once that was done', async () => {
  await using login = await plainLogin();
  const run = `GRANT responses_tenant TO "${login.name}";`;
  await expect(migrateDatabase(login.url)).rejects.toMatchObject({
    code: 'START_FAILED',
    message: expect.stringContaining(run),
  });
  await login.admin.unsafe(run);
  await migrateDatabase(login.url);
  await works(login.url);
});

test('servers on several databases that start at one moment all find or make what they need', async () => {
  const databases = await Promise.all([1, 2, 3, 4].map(() => createTestDatabase()));
  for (const { sql } of databases)
    await sql`revoke all on responses, items, events, processes, idempotency_keys, response_metadata from responses_tenant`;
  await Promise.all(databases.flatMap(({ url }) => [migrateDatabase(url), migrateDatabase(url)]));
  for (const { url } of databases) await works(url);
  for (const each of databases) await each[Symbol.asyncDispose]();
});

test('a server does not start with a login that does not own the tables', async () => {
  await using place = await createTestDatabase();
  await using login = await plainLogin('createrole');
  const { pathname } = new URL(place.url);
  const url = new URL(login.url);
  url.pathname = pathname;
  await login.admin.unsafe(`grant responses_tenant to ${login.name}`);
  const sql = postgres(url.href, { max: 1 });
  await expect(secureTenants(sql)).rejects.toMatchObject({
    code: 'START_FAILED',
    message: expect.stringContaining('set DATABASE_URL to their owner'),
  });
  await sql.end();
});

test('a server does not start with a login that may make no tables, and says whose it must be', async () => {
  await using place = await createTestDatabase();
  await using login = await plainLogin();
  const url = new URL(login.url);
  url.pathname = new URL(place.url).pathname;
  await expect(migrateDatabase(url.href)).rejects.toMatchObject({
    code: 'START_FAILED',
    message: expect.stringMatching(/permission denied.*: set DATABASE_URL to the owner of the database/),
  });
});

test('a role of tenants that passes by row-level security is refused', async () => {
  await using place = await createTestDatabase();
  await place.sql
    .begin(async (tx) => {
      await tx`alter role responses_tenant bypassrls`; // seen by nobody else before it is taken back
      await expect(secureTenants(tx as unknown as postgres.Sql)).rejects.toThrow('NOSUPERUSER NOBYPASSRLS');
      throw new Error('taken back');
    })
    .catch((error: Error) => expect(error.message).toBe('taken back'));
});
