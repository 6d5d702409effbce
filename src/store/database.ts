import { join } from 'node:path';
import postgres from 'postgres';
import type { Scope } from '../protocol/scope.ts';
import { AppError, messageOf } from '../util/errors.ts';
import { ARRAYS, backoff, CLIENT, CONNECTION } from './client.ts';
import { drizzle, migrate } from './drizzle.ts';
import { secureTenants } from './tenants/secure-tenants.ts';
import type { Statement } from './tenants/tenant-connection.ts';
import { TenantPool } from './tenants/tenant-pool.ts';

/** The way into the database for what acts for a caller. */
export interface Tenants {
  /**
   * Runs one statement, in a transaction of its own, as a role that row-level security holds for: it sees and writes
   * the rows of the tenant alone, whatever it says. It must be sent within the call.
   *
   * @throws Error with the code CONNECTION_CLOSED and the like: nobody knows whether it was done.
   */
  as<Rows extends readonly postgres.MaybeRow[]>(
    scope: Scope,
    statement: Statement<Rows>,
  ): Promise<postgres.RowList<Rows>>;
}

/** The way into the database for what acts for nobody: leases, the commits of the log, take-over, cleaning up. */
export interface Clockwork {
  /** As the owner of the tables, who sees the rows of all tenants. */
  readonly acrossTenants: postgres.Sql;
}

export interface Database extends Tenants, Clockwork {
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

/** A pool that was replaced is closed after this: whoever had it in hand may still use it. In seconds. */
const RETIRING_S = 5;

/** What answers at all in a pool that fell silent may take so long. In seconds. */
const SILENT_S = 1;

/** For reading an answer that has come already. In milliseconds. */
const READING_MS = 100;

/** A pool of the client, until one of its connections breaks. */
interface Pool {
  readonly sql: postgres.Sql;
  isBroken: boolean;
}

/**
 * Opens a pool. No connection is made before the first query. When a connection has broken, the next query goes to a
 * fresh pool: when several idle connections of the client break at one moment, it may take one of them for good and
 * never use it again, so that every query it is given waits for the time-out. `home` is the tenant that all callers
 * have, if there is only one: its statements take fewer steps.
 */
export function openDatabase(url: string, home: string | null = null): Database {
  const openTenants = () => ({ atHome: new TenantPool(url, home), others: new TenantPool(url) });
  let pool = openPool(url);
  let tenants = openTenants();
  const current = () => {
    if (!pool.isBroken) return pool;
    const { sql: broken } = pool;
    setTimeout(() => void broken.end({ timeout: RETIRING_S }), RETIRING_S * 1000).unref();
    pool = openPool(url);
    return pool;
  };
  /** What waits for an answer there may wait for ever. */
  const giveUp = (silent: Pool, silentTenants: typeof tenants) => {
    if (pool === silent) pool = openPool(url);
    if (tenants === silentTenants) tenants = openTenants();
    void silent.sql.end({ timeout: SILENT_S });
    for (const each of Object.values(silentTenants)) void each.end(SILENT_S, 'ETIMEDOUT');
  };
  return {
    as: ({ tenant }, statement) => (tenant === home ? tenants.atHome : tenants.others).run(tenant, statement),
    get acrossTenants() {
      return current().sql;
    },
    // At its end the client waits for ever on a connection that once broke under a query, hence the limit.
    close: async () => {
      const ends = Object.values(tenants).map((each) => each.end(1, 'CONNECTION_ENDED'));
      await Promise.all([pool.sql.end({ timeout: 1 }), ...ends]);
    },
    async inTime(query, ms) {
      const used = [pool, tenants] as const;
      const { promise: late, reject } = Promise.withResolvers<never>();
      unlessSettled(query, ms, () => {
        giveUp(...used);
        reject(Object.assign(new Error('The database does not answer.'), { code: 'ETIMEDOUT' }));
      });
      for (const each of Object.values(tenants)) {
        const answer = each.ask();
        if (answer !== null) unlessSettled(answer, ms, () => giveUp(...used));
      }
      return Promise.race([query, late]);
    },
  };
}

/** Calls `give` if a promise has not settled in time. */
function unlessSettled(promise: Promise<unknown>, ms: number, give: () => void): void {
  // If it was this process that stood still, the answer may be there, and is read first.
  let timer = setTimeout(() => {
    timer = setTimeout(give, READING_MS);
  }, ms);
  const stop = () => clearTimeout(timer);
  promise.then(stop, stop);
}

function openPool(url: string): Pool {
  const onclose = () => {
    pool.isBroken = true;
  };
  // No query waits on a busy connection behind another: the client forgets those sent while it breaks.
  // (Its transactions do not work like that: use single statements.)
  const unpipelined = { ...CLIENT, backoff, max: 10, max_pipeline: 0, onclose };
  const sql = postgres(url, { ...unpipelined, connection: CONNECTION, types: ARRAYS });
  const pool: Pool = { sql, isBroken: false };
  return pool;
}

/**
 * Brings the tables up to date, and sees to it that tenants are kept apart.
 *
 * @throws AppError START_FAILED when the database cannot be reached or refuses.
 */
export async function migrateDatabase(url: string): Promise<void> {
  const sql = postgres(url, { ...CLIENT, max: 1 });
  try {
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await migrate(drizzle(sql), { migrationsFolder: MIGRATIONS });
    await secureTenants(sql);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    const wayOn =
      reason instanceof postgres.PostgresError && reason.code === '42501' // insufficient_privilege
        ? ': set DATABASE_URL to the owner of the database and its tables.'
        : '';
    throw new AppError('START_FAILED', `The database cannot be used: ${messageOf(reason)}${wayOn}`, {
      cause,
    });
  } finally {
    await sql.end({ timeout: 5 }); // and with the connection goes the lock
  }
}

/** True if the database answers, within two seconds. */
export async function isReachable({ acrossTenants: sql }: Clockwork): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), 2000);
  const answer = sql`select 1`.then(
    () => true,
    () => false,
  );
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
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
