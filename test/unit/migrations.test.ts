import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { expect, inject, test } from 'vitest';
import { migrateDatabase, openDatabase } from '../../src/store/database.ts';
import { countResponses, responsesPage } from '../../src/store/responses.ts';

const MIGRATIONS = join(import.meta.dirname, '../../drizzle');
const SCOPE = { tenant: 'default' };

/** A database as an earlier version left it, which had so many migrations. */
async function databaseOf(migrations: number) {
  const server = inject('postgresUrl');
  const name = `responses_migration_${process.pid}`;
  const admin = postgres(`${server}postgres`, { max: 1, onnotice: () => {} });
  await admin`create database ${admin(name)}`;
  const sql = postgres(`${server}${name}`, { max: 1, onnotice: () => {} });
  const folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  await cp(MIGRATIONS, folder, { recursive: true });
  const journal = JSON.parse(await readFile(join(folder, 'meta/_journal.json'), 'utf8'));
  journal.entries = journal.entries.slice(0, migrations);
  await writeFile(join(folder, 'meta/_journal.json'), JSON.stringify(journal));
  await migrate(drizzle(sql), { migrationsFolder: folder });
  await rm(folder, { recursive: true });
  return {
    url: `${server}${name}`,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end();
      await admin`drop database if exists ${admin(name)} with (force)`;
      await admin.end();
    },
  };
}

test('responses of an earlier version are found by their metadata, and so is what that version still writes', async () => {
  await using place = await databaseOf(3);
  const { sql, url } = place;
  const add = async (id: string, metadata: object, { tenant = 'default', isDeleted = false } = {}) => {
    await sql`
      insert into responses (id, tenant, created_at, status, completed_at, model, depth, settings, metadata, deleted_at)
      values (${id}, ${tenant}, now(), 'completed', now(), 'm', 0, '{}', ${JSON.stringify(metadata)}::text::jsonb,
        ${isDeleted ? sql`now()` : null})`;
  };
  await add('resp_1', { team: 'owls', size: 'xl' });
  await add('resp_2', { team: 'bats' });
  await add('resp_3', {});
  await add('resp_4', { team: 'owls' }, { isDeleted: true });
  await add('resp_5', { team: 'owls' }, { tenant: 'other' });
  await migrateDatabase(url);
  await add('resp_6', { team: 'owls' });

  const database = openDatabase(url);
  const page = { limit: 10, backward: false, after: null, before: null, order: 'asc' } as const;
  const found = async (metadata: { [key: string]: string }) => {
    const { rows } = await responsesPage(database, SCOPE, { filter: { metadata }, page });
    expect(await countResponses(database, SCOPE, { filter: { metadata }, cap: 10 })).toBe(rows.length);
    return rows.map(({ base }) => base.id);
  };
  expect(await found({ team: 'owls' })).toEqual(['resp_1', 'resp_6']);
  expect(await found({ team: 'owls', size: 'xl' })).toEqual(['resp_1']);
  expect(await found({ team: 'bats' })).toEqual(['resp_2']);
  await sql`update responses set deleted_at = now() where id = 'resp_1'`;
  await sql`delete from responses where id = 'resp_2'`;
  expect(await found({ team: 'owls' })).toEqual(['resp_6']);
  expect(await found({ team: 'bats' })).toEqual([]);
  expect(await sql`select 1 from response_metadata`).toHaveLength(2);
  await database.close();
});
