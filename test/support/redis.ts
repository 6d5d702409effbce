import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test, vi } from 'vitest';

/** Whoever sets this has seen to it that there is a Redis: without one tests fail instead of being skipped. */
const isRequired = process.env['REQUIRE_REDIS'] !== undefined;

const given = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

const isGivenThere = await answersPing(given);
const isBinaryThere = await canRun('redis-server');

/** For tests with `startRedis`, which need the program. */
export const testWithOwnRedis = test.skipIf(!isBinaryThere && !isRequired);

/** For tests with `useRedis`. */
export const testWithRedis = test.skipIf(!isGivenThere && !isBinaryThere && !isRequired);

/** A Redis that may be used by others too: a test that shares it takes a channel of its own. */
export interface SharedRedis extends AsyncDisposable {
  readonly url: string;
}

/** A Redis that a test may do to what it likes. */
export interface OwnRedis extends SharedRedis {
  /** Kills it. */
  stop(): Promise<void>;
  /** Starts it again, at the same URL. */
  start(): Promise<void>;
  /** Lets it stand still, with its connections open. */
  freeze(): void;
  thaw(): void;
}

/** The Redis of TEST_REDIS_URL, else the one at the usual port, else a new one. */
export async function useRedis(): Promise<SharedRedis> {
  return isGivenThere ? { url: given, [Symbol.asyncDispose]: async () => {} } : startRedis();
}

/** A new process of Redis, with nothing on disk. */
export async function startRedis(): Promise<OwnRedis> {
  if (!isBinaryThere) throw new Error(`There is no redis-server in the PATH, and none answers at ${given}.`);
  const port = await findFreePort();
  const url = `redis://127.0.0.1:${port}`;
  let running: ChildProcess | null = null;
  const start = async () => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    running = spawn('redis-server', options, { stdio: 'ignore' });
    await vi.waitUntil(() => answersPing(url), { timeout: 5000, interval: 20 });
  };
  const stop = async () => {
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL'); // which ends it frozen, too
    await gone;
  };
  await start();
  return {
    url,
    stop,
    start,
    freeze: () => running?.kill('SIGSTOP'),
    thaw: () => running?.kill('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  };
}

async function answersPing(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port || 6379), hostname);
  socket.setTimeout(1000, () => socket.destroy());
  socket.on('error', () => {});
  try {
    socket.write('PING\r\n');
    // One that wants a password is a Redis as well: the URL has it.
    for await (const answer of socket) return /^(?:\+PONG|-NOAUTH)/.test(String(answer));
    return false;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function canRun(program: string): Promise<boolean> {
  const child = spawn(program, ['--version'], { stdio: 'ignore' });
  return new Promise((resolve) => {
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
