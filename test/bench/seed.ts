/**
 * Fills a database with responses as two years of use would leave them; see `createFunctions` for what they are like.
 *
 *   node test/bench/seed.ts <DATABASE_URL> --responses 10000000
 *   node test/bench/seed.ts <data folder> --responses 10000000
 *
 * With a data folder the built-in Postgres is started there, and its database `responses` is filled. The database is
 * migrated first; its tables must be empty. The user must be a superuser: its triggers and foreign keys are off meanwhile.
 */
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { migrateDatabase } from '../../src/store/database.ts';
import { startEmbedded } from '../../src/store/embedded.ts';
import {
  createFunctions,
  insertEvents,
  insertItems,
  insertPairs,
  insertResponses,
  type Rows,
} from './seed-rows.ts';

const YEAR_MS = 365 * 24 * 3600 * 1000;
const STEP = 250_000;
const TABLES = ['responses', 'items', 'events'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    responses: { type: 'string', default: '1000' },
    items: { type: 'string', default: '5' },
    logs: { type: 'string', default: '100000' },
  },
});
const [where = ''] = positionals;
const count = Number(values.responses);
if (where === '' || !Number.isSafeInteger(count) || count < 1)
  throw new Error('Usage: node test/bench/seed.ts <DATABASE_URL or data folder> --responses <number>');

const embedded = /^postgres(ql)?:/.test(where) ? null : await startEmbedded(where);
try {
  const now = Date.now();
  const rows = { count, from: now - 2 * YEAR_MS, to: now - 60_000, logs: Number(values.logs) };
  await seed(embedded?.url ?? where, { ...rows, stretchesWithItems: Number(values.items) });
} finally {
  await embedded?.stop();
}

async function seed(url: string, rows: Rows): Promise<void> {
  await migrateDatabase(url);
  const sql = postgres(url, {
    max: 1,
    onnotice: () => {},
    fetch_types: false,
    connection: {
      application_name: 'seed',
      session_replication_role: 'replica', // no foreign keys are checked, no triggers fire
      synchronous_commit: 'off',
      maintenance_work_mem: '1GB',
      max_parallel_maintenance_workers: 0,
    },
    types: { texts: { to: 1009, from: [], serialize: toArrayLiteral, parse: (text: string) => text } },
  });
  try {
    const [found] = await sql`select 1 from responses limit 1`;
    if (found !== undefined) throw new Error('There are responses in this database already.');
    const definitions = await dropIndexes(sql);
    await createFunctions(sql, rows);
    for (let first = 0; first < rows.count; first += STEP) {
      const span = [first, Math.min(first + STEP, rows.count) - 1] as const;
      await insertResponses(sql, rows, span);
      await insertItems(sql, rows, span);
      say(`${span[1] + 1} responses`);
    }
    await insertEvents(sql, rows);
    await insertPairs(sql);
    say('events and pairs of metadata');
    for (const definition of definitions) {
      await sql.unsafe(definition);
      say(definition);
    }
    await sql`vacuum (analyze)`;
    say('done');
  } finally {
    await sql.end();
  }
}

/** Removes the secondary indexes of the tables that are filled, and gives the statements that make them again. */
async function dropIndexes(sql: postgres.Sql): Promise<readonly string[]> {
  const indexes = await sql<{ name: string; definition: string }[]>`
    select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i
    where i.indrelid::regclass::text = any(${TABLES}::text[])
      and not exists (select 1 from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u'))`;
  for (const { name } of indexes) await sql.unsafe(`drop index ${name}`);
  return indexes.map(({ definition }) => definition);
}

function toArrayLiteral(values: readonly unknown[]): string {
  return `{${values.map((value) => `"${String(value).replace(/["\\]/g, '\\$&')}"`).join()}}`;
}

function say(what: string): void {
  process.stdout.write(`${Math.round(performance.now() / 1000)} s: ${what}\n`);
}
