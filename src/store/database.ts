import { join } from 'node:path';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { AppError, messageOf } from '../util/errors.ts';

/** A pool of connections: `orm` for the queries of every day, `sql` for the ones that must be prepared or grouped. */
export interface Database {
  readonly orm: PostgresJsDatabase;
  readonly sql: postgres.Sql;
  /** Waits for what is under way, at most five seconds. */
  close(): Promise<void>;
}

const MIGRATIONS = join(import.meta.dirname, '../../drizzle');

/** Any number that nobody else uses: servers that start together migrate one after the other. */
const MIGRATION_LOCK = 7_203_118_541;

const CONNECTION = { application_name: 'responses-graphql', statement_timeout: 30_000 } as const;

/** Opens a pool. No connection is made before the first query. */
export function openDatabase(url: string): Database {
  const sql = postgres(url, { max: 10, connect_timeout: 5, onnotice: () => {}, connection: CONNECTION });
  return { orm: drizzle(sql), sql, close: () => sql.end({ timeout: 5 }) };
}

/**
 * Brings the tables up to date.
 *
 * @throws AppError START_FAILED when the database cannot be reached or refuses.
 */
export async function migrateDatabase(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
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

/** What a lost database looks like: codes of Postgres, of its client and of the operating system. */
const AWAY =
  /^(08...|53...|57P0[123]|40...|55P03|57014|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|CONNECTION_(CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT)$/;

/** True for failures that the same query may not meet again: the database is down, full, busy or restarting. */
export function isDatabaseAway(error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string' && AWAY.test(current.code)) return true;
  }
  return false;
}
