import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { migrateDatabase } from '../../src/store/database.ts';
import { startEmbedded } from '../../src/store/embedded.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's URL, without a database. */
    readonly postgresUrl: string;
    /** A database with all migrations, to be copied. */
    readonly templateDatabase: string;
  }
}

/** In bytes. The databases of tests that are under way, and their log, which is a gigabyte at most. */
const ROOM = 4 * 1024 ** 3;

/** A folder in memory, where the system has one that is large enough: each test makes a database of 300 files, and drops it. */
function roomInMemory(): string | null {
  const folder = '/dev/shm';
  if (!existsSync(folder)) return null;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize > ROOM ? folder : null;
}

/** One Postgres for all test files: the one of TEST_DATABASE_URL, else the built-in one in a folder of its own. */
export async function setup({ provide }: TestProject) {
  const given = process.env['TEST_DATABASE_URL'];
  const folder = mkdtempSync(join(roomInMemory() ?? tmpdir(), 'responses-tests-'));
  const embedded = given === undefined ? await startEmbedded(folder) : null;
  const server = new URL(embedded?.url ?? given ?? '');
  server.pathname = '/';
  const template = `responses_template_${process.pid}`;
  const admin = postgres(`${server}postgres`, { max: 1, onnotice: () => {} });
  if (embedded !== null) {
    await admin`alter system set fsync = off`; // it is thrown away: a machine that stops loses nothing
    await admin`select pg_reload_conf()`;
  }
  await admin`create database ${admin(template)}`;
  await migrateDatabase(`${server}${template}`);
  provide('postgresUrl', String(server));
  provide('templateDatabase', template);
  return async () => {
    const made = await admin<{ name: string }[]>`
      select datname as name from pg_database 
      where datname = ${template} or starts_with(datname, ${`${template}_`})`;
    for (const { name } of made) await admin`drop database if exists ${admin(name)} with (force)`;
    await admin.end();
    await embedded?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
