import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import manifest from '../../../package.json' with { type: 'json' };
import { findPostmaster } from '../../../src/store/embedded/postmaster.ts';
import { type Cpu, childrenOf, cpuOf } from './cpu.ts';
import { LOAD_CORE, pin, pinned, raiseSession, SERVER_CORE } from './pinning.ts';
import { programOf, type ServerName } from './server-names.ts';

/** A server under test: a process of its own. */
export interface Server extends AsyncDisposable {
  readonly name: ServerName;
  /** `http://127.0.0.1:PORT/graphql`, with the key of its clients in the place of a user if they need one. */
  readonly url: string;
  readonly pid: number;
  cpu(): Cpu;
  /** What an urgent benchmark does for itself, for all that its Postgres has started by now. */
  raise(): void;
  /** The CPU of its Postgres so far, in microseconds; 0 where there is none. */
  postgresCpu(): number;
}

const ROOT = join(import.meta.dirname, '../../..');

/** Those of `npm start`, for all alike. */
const FLAGS = manifest.scripts.start.split(' ').filter((word) => word.startsWith('--'));

/** More than two thousand sockets on either side. */
const MAX_FILES = 16_384;

export interface ServerOptions {
  readonly upstreamUrl: string;
  /** Beyond what its name says. */
  readonly environment?: { readonly [key: string]: string };
}

/** Starts it on its core, and its Postgres, if it has one, on the other. Fails when it ends instead. */
export async function startServer(
  name: ServerName,
  { upstreamUrl, environment = {} }: ServerOptions,
): Promise<Server> {
  const { file, environment: own, hasKey } = programOf(name);
  const folder = await mkdtemp(join(tmpdir(), 'responses-bench-'));
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, PORT: '0', DATA_DIR: folder, LOG_LEVEL: 'warn', OPENAI_BASE_URL: upstreamUrl };
  const command = `ulimit -n ${MAX_FILES} 2>/dev/null; exec "$@"`;
  const [program = '', ...args] = pinned(
    ['bash', '-c', command, 'bash', process.execPath, ...FLAGS, join(ROOT, file)],
    SERVER_CORE,
  );
  const child = spawn(program, args, {
    env: { ...env, ...own, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = new URL(await listeningUrl(child));
  if (hasKey) url.username = await createKey(env);
  const pid = child.pid ?? 0;
  const postmaster = await findPostmaster(join(folder, 'postgres'));
  const postgres = () => (postmaster === undefined ? [] : [postmaster.pid, ...childrenOf(postmaster.pid)]);
  for (const each of postgres()) pin(each, LOAD_CORE);
  return {
    name,
    url: String(url),
    pid,
    raise: () => postgres().forEach(raiseSession),
    cpu: () => cpuOf(pid),
    postgresCpu: () => postgres().reduce((sum, each) => sum + cpuOf(each).total, 0),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A key for the server with this environment, as its operator makes one. */
async function createKey(env: NodeJS.ProcessEnv): Promise<string> {
  const command = [join(ROOT, 'src/keys.ts'), 'create', '--name', 'bench'];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env });
  return stdout.trim();
}

async function listeningUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('A server without output.');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('listening on ')) resolve(line.slice('listening on '.length));
  });
  child.once('exit', (code) => reject(new Error(`A server ended with ${code} before it listened.`)));
  return promise;
}
