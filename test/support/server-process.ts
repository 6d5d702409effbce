import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openCluster } from '../../src/store/embedded/cluster.ts';
import { findPostmaster, stopPostmaster } from '../../src/store/embedded/postmaster.ts';

/** `node src/main.ts`, as an operator runs it. */
export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** How it ended, with everything that it printed. */
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
}

/** A folder for the data of servers, and the servers that were started in it. */
export interface DataFolder extends AsyncDisposable {
  readonly path: string;
  /** Runs the program; resolves when it listens, or has ended. */
  run(environment: { readonly [key: string]: string }): Promise<ServerProcess>;
  /** The first process that was started, at once, whether it listens or not. */
  readonly first: ChildProcess | undefined;
  /** True while a Postgres runs in it. */
  hasPostgres(): Promise<boolean>;
}

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export async function createDataFolder(): Promise<DataFolder> {
  const path = await mkdtemp(join(tmpdir(), 'responses-server-'));
  const children: ChildProcess[] = [];
  const postmaster = () => findPostmaster(join(path, 'postgres'));
  return {
    path,
    get first() {
      return children[0];
    },
    async run(environment) {
      const { PATH = '', HOME = '', TMPDIR = tmpdir() } = process.env;
      const env = { PATH, HOME, TMPDIR, PORT: '0', DATA_DIR: path, LOG_LEVEL: 'error', ...environment };
      const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      children.push(child);
      let out = '';
      let err = '';
      const { promise: url, resolve } = Promise.withResolvers<string>();
      createInterface({ input: child.stdout }).on('line', (line) => {
        out += `${line}\n`;
        if (line.startsWith('listening on ')) resolve(line.slice('listening on '.length));
      });
      child.stderr.on('data', (bytes) => {
        err += bytes;
      });
      const ended = once(child, 'close').then(([code]) => ({ code, out, err }));
      void ended.then(() => resolve(''));
      return { url: await url, child, ended };
    },
    hasPostgres: async () => (await postmaster()) !== undefined,
    async [Symbol.asyncDispose]() {
      for (const child of children.filter(
        ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
      )) {
        child.kill('SIGKILL');
        await once(child, 'close');
      }
      const left = await postmaster();
      if (left !== undefined) await stopPostmaster(await openCluster(path), left.pid);
      await rm(path, { recursive: true, force: true });
    },
  };
}
