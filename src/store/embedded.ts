import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type postgres from 'postgres';
import { AppError, messageOf } from '../util/errors.ts';
import { keepSecret } from '../util/secrets.ts';
import { type Cluster, openCluster } from './embedded/cluster.ts';
import { initialise } from './embedded/init.ts';
import { type Refusal, SUPERUSER, stillLocked, tryLock } from './embedded/lock.ts';
import {
  findPostmaster,
  forgetPostmaster,
  type Postmaster,
  startPostmaster,
  stopPostmaster,
} from './embedded/postmaster.ts';

/** A Postgres of our own, in use by this process alone. */
export interface EmbeddedPostgres {
  /** `postgres://…` on loopback, with the password of a superuser; its database is `responses` and exists. */
  readonly url: string;
  /** Ends Postgres and resolves when it is down, half a minute later at most. Every call after the first waits too. */
  stop(): Promise<void>;
}

/**
 * Starts the Postgres that lives in `dataDir`, making both if they are not there. One that a killed process left
 * running is taken over. Until `stop` it keeps this process alive, and it outlives the process when that ends
 * without `stop`.
 *
 * Fails with START_FAILED and one line for the operator, after at most some three seconds if another process uses
 * `dataDir`. Prints nothing and handles no signals.
 */
export async function startEmbedded(dataDir: string): Promise<EmbeddedPostgres> {
  try {
    return await start(resolve(dataDir));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError(
      'START_FAILED',
      `The built-in Postgres in ${resolve(dataDir)} did not start: ${messageOf(cause)}. DATA_DIR sets another folder, DATABASE_URL another Postgres.`,
      { cause },
    );
  }
}

/**
 * The Postgres that lives in `dataDir`, for a moment: that of the server which uses it now, which `stop` leaves
 * alone, or, if none does, as `startEmbedded` gives it.
 */
export async function borrowEmbedded(dataDir: string): Promise<EmbeddedPostgres> {
  const borrow = async () => {
    const url = await urlOfOther(resolve(dataDir));
    return url === null ? null : { url, stop: async () => {} };
  };
  const borrowed = await borrow();
  if (borrowed !== null) return borrowed;
  return startEmbedded(dataDir).catch(async (error: unknown) => {
    const late = await borrow(); // a server that was just starting
    if (late === null) throw error;
    return late;
  });
}

/** Where the Postgres is that another process uses; null if none does. */
async function urlOfOther(dataDir: string): Promise<string | null> {
  const cluster = await openCluster(dataDir);
  const { folder } = cluster;
  const postmaster = await findPostmaster(folder);
  if (!postmaster?.ready) return null;
  const { port } = postmaster;
  const password = await initialise(cluster);
  const attempt = await tryLock({ port, folder, password });
  if (attempt.type === 'held') await attempt.sql.end({ timeout: 0 });
  return attempt.type === 'taken' ? urlOf(password, port) : null;
}

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(dataDir);
  const password = await initialise(cluster);
  keepSecret(password);
  const held = await takeOver(cluster, password);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= shutDown(cluster, held);
    return stopped;
  };
  try {
    await createDatabase(held.sql);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: urlOf(password, held.postmaster.port), stop };
}

const DATABASE = 'responses';

function urlOf(password: string, port: number): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

async function createDatabase(sql: postgres.Sql): Promise<void> {
  const found = await sql`select from pg_database where datname = ${DATABASE}`;
  if (found.count === 0) await sql`create database ${sql(DATABASE)}`;
}

/** A running Postgres, and the connection whose lock makes it ours. */
interface Held {
  readonly postmaster: Postmaster;
  readonly sql: postgres.Sql;
}

/** How long an answer must stay the same before it counts. */
const PATIENCE_MS = {
  taken: 1_500, // Postgres needs a moment to notice that the process which had the lock is gone
  stranger: 1_000, // Postgres writes its pid file before it listens
  'not-ready': 120_000, // recovery after a crash
  'wrong-password': 0,
} as const satisfies Record<Refusal['type'] | 'stranger', number>;

const MAX_STARTS = 30;
const POLL_MS = 50;

/** Finds or starts Postgres, as often as it takes until one is there and locked. */
async function takeOver(cluster: Cluster, password: string): Promise<Held> {
  const { folder } = cluster;
  let starts = 0;
  let answer = { of: '', since: 0 };
  for (;;) {
    const postmaster = await findPostmaster(folder);
    if (postmaster === undefined) {
      if (starts++ === MAX_STARTS)
        throw new AppError(
          'START_FAILED',
          `The built-in Postgres does not stay up: ${cluster.logFile} says why. DATABASE_URL lets the server use another Postgres.`,
        );
      if (!(await startPostmaster(cluster))) await delay(POLL_MS);
      continue;
    }
    const attempt = await tryLock({ port: postmaster.port, folder, password });
    if (attempt.type === 'held') return { postmaster, sql: attempt.sql };
    const of = `${attempt.type} ${postmaster.pid}`;
    if (of !== answer.of) answer = { of, since: Date.now() };
    if (Date.now() - answer.since < PATIENCE_MS[attempt.type]) {
      await delay(POLL_MS);
    } else if (attempt.type === 'stranger') {
      await forgetPostmaster(folder);
    } else {
      if (attempt.type === 'wrong-password' && starts > 0) await stopPostmaster(cluster, postmaster.pid);
      throw new AppError('START_FAILED', refusal(cluster, attempt));
    }
  }
}

function refusal({ dataDir, folder, passwordFile, logFile }: Cluster, attempt: Refusal): string {
  switch (attempt.type) {
    case 'taken':
      return `Another server (process ${attempt.holder}) is already using ${dataDir}. Stop it, or set DATA_DIR or DATABASE_URL.`;
    case 'wrong-password':
      return `The Postgres in ${folder} does not take the password in ${passwordFile}: put the right one back, or set DATA_DIR or DATABASE_URL.`;
    case 'not-ready':
      return `The Postgres that runs in ${folder} does not answer: see ${logFile}, or set DATA_DIR or DATABASE_URL.`;
    default:
      return attempt satisfies never;
  }
}

/** The lock goes last: nobody may start to use a Postgres that is about to stop. */
async function shutDown(cluster: Cluster, { postmaster, sql }: Held): Promise<void> {
  try {
    if (await stillLocked(sql)) await stopPostmaster(cluster, postmaster.pid);
  } finally {
    await sql.end({ timeout: 0 });
  }
}
