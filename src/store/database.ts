import { join } from 'node:path';
import { type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { AppError, messageOf } from '../util/errors.ts';

/** A pool of connections: `orm` for the queries of every day, `sql` for the ones that must be prepared or grouped. */
export interface Database {
  readonly orm: PostgresJsDatabase;
  readonly sql: postgres.Sql;
  /** Waits for what is under way, at most a second. */
  close(): Promise<void>;
  /**
   * What a query gives, if it comes in time. Else its connection may have fallen silent for good, as behind a firewall
   * that forgot it: the next query goes to a fresh pool, and what waits in the old one fails soon.
   *
   * @throws Error ETIMEDOUT: nobody knows whether it was done.
   */
  inTime<Result>(query: Promise<Result>, ms: number): Promise<Result>;
}

const MIGRATIONS = join(import.meta.dirname, '../../drizzle');

/** Any number that nobody else uses: servers that start together migrate one after the other. */
const MIGRATION_LOCK = 7_203_118_541;

const CONNECTION = { application_name: 'responses-graphql', statement_timeout: 30_000, jit: 'off' } as const;

/**
 * By default the client asks for the types of arrays on every new connection, with nobody to catch what that throws
 * if it breaks meanwhile: the process would die of it.
 */
const CLIENT = { connect_timeout: 5, onnotice: () => {}, fetch_types: false } as const;

/** The arrays that our statements take, by the numbers that Postgres has for their types. None comes back. */
const ARRAYS = Object.fromEntries(
  Object.entries({ text: 1009, int: 1007 }).map(([name, to]) => [
    name,
    { to, from: [], serialize: toArrayLiteral, parse: (text: string) => text },
  ]),
);

/** Text in the place of an array, as Postgres reads it. */
function toArrayLiteral(values: readonly unknown[]): string {
  return `{${values.map((value) => (value === null || value === undefined ? 'null' : quoted(String(value)))).join()}}`;
}

/** Postgres takes a backslash as JSON does before a quote and itself, and before nothing else. */
function quoted(text: string): string {
  const isPlain = !CONTROL_CHARACTER.test(text) && text.isWellFormed();
  return isPlain ? JSON.stringify(text) : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const CONTROL_CHARACTER = /[\u0000-\u001f]/;

/**
 * Between two tries to connect, in seconds. The client's own pauses grow to 20, in which a database that is back
 * would see our lease run out.
 */
const backoff = (tries: number) => Math.min(0.05 * 2 ** tries, 0.5);

/** A pool that was replaced is closed after this: whoever had it in hand may still use it. In seconds. */
const RETIRING_S = 5;

/** What answers at all in a pool that fell silent may take so long. In seconds. */
const SILENT_S = 1;

/** For reading an answer that has come already. In milliseconds. */
const READING_MS = 100;

/** A pool of the client, until one of its connections breaks. */
interface Pool {
  readonly orm: PostgresJsDatabase;
  readonly sql: postgres.Sql;
  isBroken: boolean;
}

/**
 * Opens a pool. No connection is made before the first query. When a connection has broken, the next query goes to a
 * fresh pool: when several idle connections of the client break at one moment, it may take one of them for good and
 * never use it again, so that every query it is given waits for the time-out.
 */
export function openDatabase(url: string): Database {
  let pool = openPool(url);
  const current = () => {
    if (!pool.isBroken) return pool;
    const { sql: broken } = pool;
    setTimeout(() => void broken.end({ timeout: RETIRING_S }), RETIRING_S * 1000).unref();
    pool = openPool(url);
    return pool;
  };
  /** What waits for an answer there may wait for ever. */
  const giveUp = (silent: Pool) => {
    if (pool === silent) pool = openPool(url);
    void silent.sql.end({ timeout: SILENT_S });
  };
  return {
    get orm() {
      return current().orm;
    },
    get sql() {
      return current().sql;
    },
    // At its end the client waits for ever on a connection that once broke under a query, hence the limit.
    close: () => pool.sql.end({ timeout: 1 }),
    async inTime(query, ms) {
      const used = pool;
      const { promise: late, reject } = Promise.withResolvers<never>();
      const give = () => {
        giveUp(used);
        reject(Object.assign(new Error('The database does not answer.'), { code: 'ETIMEDOUT' }));
      };
      // If it was this process that stood still, the answer may be there, and is read first.
      let timer = setTimeout(() => {
        timer = setTimeout(give, READING_MS);
      }, ms);
      return Promise.race([query, late]).finally(() => clearTimeout(timer));
    },
  };
}

function openPool(url: string): Pool {
  const onclose = () => {
    pool.isBroken = true;
  };
  // No query waits on a busy connection behind another: the client forgets those sent while it breaks.
  // (Its transactions do not work like that: use single statements.)
  const unpipelined = { ...CLIENT, backoff, max: 10, max_pipeline: 0, onclose };
  const sql = postgres(url, { ...unpipelined, connection: CONNECTION, types: ARRAYS });
  const pool: Pool = { orm: drizzle(sql), sql, isBroken: false };
  return pool;
}

/**
 * Brings the tables up to date.
 *
 * @throws AppError START_FAILED when the database cannot be reached or refuses.
 */
export async function migrateDatabase(url: string): Promise<void> {
  const sql = postgres(url, { ...CLIENT, max: 1 });
  try {
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await migrate(drizzle(sql), { migrationsFolder: MIGRATIONS });
  } catch (cause) {
    const reason = messageOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
    throw new AppError('START_FAILED', `The database cannot be used: ${reason}`, { cause });
  } finally {
    await sql.end({ timeout: 5 }); // and with the connection goes the lock
  }
}

/** True if the database answers, within two seconds. */
export async function isReachable({ sql }: Database): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), 2000);
  const answer = sql`select 1`.then(
    () => true,
    () => false,
  );
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** A condition with one parameter, however many ids there are: a statement takes 65,535 at most. */
export function isAnyOf(column: PgColumn, ids: readonly string[]): SQL {
  return sql`${column} = any(${sql.param([...ids])}::text[])`;
}

/** A lost connection: codes of the client and of the operating system. */
const UNREACHABLE =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|CONNECTION_(CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT)$/;

/** What Postgres says of the statement itself (SQLSTATE): it will say the same the next time. */
const REFUSED = /^(0A|22|23|42|54|P0|XX)/;

/** True for failures that the same query may not meet again: the database is down, full, busy or restarting. */
export function isDatabaseAway(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof postgres.PostgresError) return !REFUSED.test(current.code);
    if ('code' in current && typeof current.code === 'string' && UNREACHABLE.test(current.code)) return true;
  }
  return false;
}

/** True if the statement was given up for taking too long: it did nothing, and may do so again. */
export function isCancelled(error: unknown): boolean {
  return hasCode(error, /^57014$/);
}

/** A connection that was there and broke. */
const BROKEN = /^(08...|57P0[1245]|ECONNRESET|EPIPE|ETIMEDOUT|CONNECTION_(CLOSED|DESTROYED))$/;

/** True if a connection broke under a query: nobody knows whether it was done. */
export function isOutcomeUnknown(error: unknown): boolean {
  return hasCode(error, BROKEN);
}

/** True if the pool has been closed for good. */
export function isPoolClosed(error: unknown): boolean {
  return hasCode(error, /^CONNECTION_ENDED$/);
}

function hasCode(error: unknown, codes: RegExp): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string' && codes.test(current.code)) return true;
  }
  return false;
}
