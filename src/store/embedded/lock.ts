import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';

/** The superuser of the built-in Postgres. */
export const SUPERUSER = 'postgres';

/** A Postgres that may be the one of the data folder `folder`. */
export interface Candidate {
  readonly port: number;
  readonly folder: string;
  readonly password: string;
}

/**
 * - `held`: `sql` is a single connection to the database `postgres` that holds the lock
 * - `taken`: the process with the id `holder` has it
 * - `not-ready`: a Postgres that starts, recovers or stops, or is too busy to answer
 * - `stranger`: nothing listens there, or it is the Postgres of another folder
 */
export type LockAttempt =
  | { readonly type: 'held'; readonly sql: postgres.Sql }
  | { readonly type: 'stranger' }
  | Refusal;

export type Refusal =
  | { readonly type: 'taken'; readonly holder: string }
  | { readonly type: 'wrong-password' }
  | { readonly type: 'not-ready' };

const LOCK_KEY = 727_401; // any number, the same for ever
const ANSWER_TIMEOUT_MS = 2_000;

/**
 * Tries to become the one process that uses the Postgres of a folder. The lock is an advisory lock of a session,
 * so that a process that dies in any way gives it back. Throws only what no retry would mend.
 */
export async function tryLock({ port, folder, password }: Candidate): Promise<LockAttempt> {
  const sql = connect(port, password);
  let attempt: LockAttempt = { type: 'not-ready' };
  try {
    const [server] = await sql<{ folder: string }[]>`select current_setting('data_directory') as folder`;
    attempt = server && (await isSameFolder(server.folder, folder)) ? await lock(sql) : { type: 'stranger' };
  } catch (error) {
    attempt = meaningOf(error);
  } finally {
    if (attempt.type !== 'held') await sql.end({ timeout: 0 });
  }
  return attempt;
}

/**
 * Whether the Postgres behind `sql` is there and no other process has locked it since that connection was lost.
 * The lock is taken again if so. A Postgres that is there but does not answer counts as ours.
 */
export function stillLocked(sql: postgres.Sql): Promise<boolean> {
  const answer = lock(sql)
    .catch(meaningOf)
    .then(
      ({ type }) => type !== 'taken' && type !== 'stranger',
      () => true,
    );
  return Promise.race([answer, delay(ANSWER_TIMEOUT_MS, true, { ref: false })]);
}

function connect(port: number, password: string): postgres.Sql {
  return postgres({
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password,
    database: 'postgres',
    ssl: false,
    max: 1,
    max_lifetime: null, // one connection, kept: the lock goes with it
    idle_timeout: 0,
    connect_timeout: ANSWER_TIMEOUT_MS / 1_000,
    prepare: false,
    fetch_types: false,
    connection: { application_name: `responses-graphql, process ${process.pid}` },
  });
}

async function lock(sql: postgres.Sql): Promise<LockAttempt> {
  const [row] = await sql<{ held: boolean }[]>`select pg_try_advisory_lock(${LOCK_KEY}) as held`;
  if (row?.held) return { type: 'held', sql };
  const [other] = await sql<{ holder: string }[]>`
    select substring(application_name from '[0-9]+$') as holder
    from pg_locks join pg_stat_activity using (pid)
    where locktype = 'advisory' and granted and objid = ${LOCK_KEY}
      and database = (select oid from pg_database where datname = current_database())`;
  return other ? { type: 'taken', holder: other.holder } : { type: 'not-ready' };
}

/** Compared as the disk knows them: paths differ by links, letter case and slashes. */
async function isSameFolder(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all(
    [one, other].map((path) => stat(path, { bigint: true }).catch(() => undefined)),
  );
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

function meaningOf(error: unknown): LockAttempt {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'ECONNREFUSED':
      return { type: 'stranger' };
    case '28P01': // invalid_password
    case '28000': // invalid_authorization_specification
    case 'SASL_SIGNATURE_MISMATCH':
      return { type: 'wrong-password' };
    case '57P01': // admin_shutdown
    case '57P02': // crash_shutdown
    case '57P03': // cannot_connect_now
    case '53300': // too_many_connections
    case 'ECONNRESET':
    case 'EPIPE':
    case 'CONNECT_TIMEOUT':
    case 'CONNECTION_CLOSED':
    case 'CONNECTION_ENDED':
    case 'CONNECTION_DESTROYED':
      return { type: 'not-ready' };
    default:
      throw error;
  }
}
