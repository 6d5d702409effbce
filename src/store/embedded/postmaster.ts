import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, programFailed } from './cluster.ts';
import { type Ending, isAlive, run, runLogged } from './process.ts';

/** The main process of a Postgres, going by the pid file in its data folder. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** It says that it takes connections. */
  readonly ready: boolean;
}

/**
 * The Postgres that runs in `folder`, by its pid file. Undefined when the process in that file is dead. As ids
 * are used again, the one found may be something else: only an answer from it tells.
 */
export async function findPostmaster(folder: string): Promise<Postmaster | undefined> {
  const lines = (await readFile(pidFile(folder), 'utf8').catch(() => '')).split(/\r?\n/);
  const [pid, , , port] = lines.map(Number);
  if (!pid || !port || !isAlive(pid)) return undefined;
  return { pid, port, ready: lines[7]?.trim() === 'ready' };
}

/** Forgets a pid file whose process turned out not to be the Postgres of `folder`. */
export function forgetPostmaster(folder: string): Promise<void> {
  return rm(pidFile(folder), { force: true });
}

const pidFile = (folder: string) => join(folder, 'postmaster.pid');

const POLL_MS = 5;

/**
 * Starts Postgres on a free port, out of reach of signals to this process and its terminal. Resolves to true when
 * it takes connections, to false when it failed for something that passes: a port that another program just took,
 * another process that starts the same Postgres, remains of one that is dying. Other failures are START_FAILED.
 */
export async function startPostmaster(cluster: Cluster): Promise<boolean> {
  const { binaries, folder, launcher, logFile } = cluster;
  const waiting = ['--wait', '--timeout', '120', '--silent']; // recovery after a crash takes a while
  const options = ['--pgdata', folder, '--options', settings(await freePort()), ...waiting];
  const over = new AbortController();
  // pg_ctl looks ten times a second whether Postgres is ready; we look more often and leave it to end by itself.
  const ending = await Promise.race([
    runLogged(launcher, [binaries.pgCtl, 'start', ...options], logFile),
    untilReady(folder, over.signal),
  ]).finally(() => over.abort());
  if (ending === undefined || ending.code === 0) return true;
  if (willPass(ending)) return false;
  throw programFailed(cluster, ending);
}

/** One word each, without quotes: pg_ctl hands this to a shell. */
function settings(port: number): string {
  return [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'timezone=UTC',
    'log_timezone=UTC',
    'max_parallel_workers_per_gather=0', // containers give it little shared memory
    'wal_init_zero=off', // else every commit waits while a new piece of the log is filled
    'jit=off', // compiles costly queries; ours are small
  ]
    .map((setting) => `-c ${setting}`)
    .join(' ');
}

async function untilReady(folder: string, signal: AbortSignal): Promise<undefined> {
  while (!signal.aborted && !(await findPostmaster(folder))?.ready) await delay(POLL_MS);
}

function willPass({ output }: Ending): boolean {
  return /could not create any TCP\/IP sockets|lock file "postmaster\.pid"|pre-existing shared memory block/.test(
    output,
  );
}

async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer().once('error', reject);
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Ends the Postgres with this pid and waits until it is down: at once, or cut off when it takes too long. */
export async function stopPostmaster({ binaries, folder, launcher }: Cluster, pid: number): Promise<void> {
  for (const [mode, seconds] of [
    ['fast', 20],
    ['immediate', 10],
  ]) {
    if ((await findPostmaster(folder))?.pid !== pid) return;
    const command = ['stop', '--pgdata', folder, '--mode', `${mode}`, '--wait', '--timeout', `${seconds}`];
    await run(launcher, [binaries.pgCtl, ...command], 'ignore');
  }
}
