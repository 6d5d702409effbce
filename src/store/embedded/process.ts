import { execFile, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { parse } from 'node:path';

/** Who runs a program, and what has to stand before its command line to make that so. */
export interface Launcher {
  /** Whom the data folder belongs to. Undefined: the user of this process. */
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
  /** A launching program that changes to `account` itself. */
  readonly prefix: readonly string[];
}

/** How a program ended. `output` is what was added to the log meanwhile, and only read after a failure. */
export interface Ending {
  readonly code: number;
  readonly output: string;
}

/** More than a statement takes. In bytes. */
const KEPT_BYTES = String(4 * 1024 * 1024);

/**
 * A bare environment: PG… variables of the operator would change what the programs do, and API keys have no
 * business in a process that lives on. Windows needs some variables of its own; Node adds them.
 */
const ENVIRONMENT = {
  LC_ALL: 'C',
  TZ: 'UTC',
  // By default the C library of Linux may give memory back after each statement and ask for it again in the next one,
  // which takes as long as the statement itself: https://man7.org/linux/man-pages/man3/mallopt.3.html
  MALLOC_TRIM_THRESHOLD_: KEPT_BYTES,
  MALLOC_MMAP_THRESHOLD_: KEPT_BYTES,
  ...(process.platform === 'win32'
    ? {}
    : { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }),
};

/** Runs a program to its end and resolves to its exit code (-1: a signal). `output` is a file descriptor. */
export function run(
  launcher: Launcher,
  command: readonly string[],
  output: number | 'ignore',
): Promise<number> {
  const { account, prefix } = launcher;
  const [file = '', ...args] = [...prefix, ...command];
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(file, args, {
    cwd: parse(process.execPath).root, // the current folder may be closed to the account
    env: ENVIRONMENT,
    stdio: ['ignore', output, output], // no pipes: Postgres would inherit them and hold them open
    // A session of its own, on Windows a hidden console: Ctrl-C in the terminal is for this process alone.
    detached: process.platform !== 'win32',
    windowsHide: true,
    // `| 0`: spawn takes signed ids
    ...(account !== undefined && prefix.length === 0 ? { uid: account.uid | 0, gid: account.gid | 0 } : {}),
  });
  child.once('error', reject);
  child.once('exit', (code) => resolve(code ?? -1));
  return promise;
}

/** Runs a program whose output goes to the end of a log file, as does that of the processes it leaves behind. */
export async function runLogged(
  launcher: Launcher,
  command: readonly string[],
  logFile: string,
): Promise<Ending> {
  await using log = await open(logFile, 'a+', 0o600);
  const { size: before } = await log.stat();
  const code = await run(launcher, command, log.fd);
  if (code === 0) return { code, output: '' };
  const added = Math.max(0, (await log.stat()).size - before);
  const { buffer, bytesRead } = await log.read({ buffer: Buffer.alloc(added), position: before });
  return { code, output: buffer.toString('utf8', 0, bytesRead) };
}

/** What a small program of the system prints, or undefined when it fails or does not exist. */
export function outputOf([file = '', ...args]: readonly string[]): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  execFile(file, args, { env: ENVIRONMENT, cwd: parse(process.execPath).root }, (error, stdout) =>
    resolve(error === null ? stdout.trim() : undefined),
  );
  return promise;
}

/** Whether there is a process with this id, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
