import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import postgres from 'postgres';
import { expect, test, vi } from 'vitest';
import { openCluster } from '../../src/store/embedded/cluster.ts';
import { findPostmaster, stopPostmaster } from '../../src/store/embedded/postmaster.ts';
import { startEmbedded } from '../../src/store/embedded.ts';

vi.setConfig({ maxConcurrency: 3, testTimeout: 60_000 });

const isRoot = process.geteuid?.() === 0;

test.concurrent('what was written is there after a restart', async () => {
  await using place = await scratch();
  const first = await startEmbedded(place.dir);
  await query(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  const second = await startEmbedded(place.dir);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
});

test.concurrent('it is durable, the same on every machine, and open to loopback with the password only', async () => {
  await using place = await scratch(join('made', "on the operator's way"));
  const { url } = await startEmbedded(place.dir);
  const settings = ['fsync', 'synchronous_commit', 'server_encoding', 'TimeZone', 'listen_addresses'];
  const sql = settings.map((name) => `current_setting('${name}') as "${name}"`).join();
  expect(await query(url, `select current_database() as database, ${sql}`)).toEqual([
    {
      database: 'responses',
      fsync: 'on',
      synchronous_commit: 'on',
      server_encoding: 'UTF8',
      TimeZone: 'UTC',
      listen_addresses: '127.0.0.1',
    },
  ]);
  expect(await query(url, `select 'Z' < 'a' as by_code_point, upper('é') as upper`)).toEqual([
    { by_code_point: true, upper: 'É' },
  ]);
  const stranger = new URL(url);
  stranger.password = 'guess';
  await expect(query(stranger.href, 'select')).rejects.toThrow('password authentication failed');
  if (process.platform !== 'win32') {
    expect((await stat(join(place.dir, 'postgres.password'))).mode & 0o777).toBe(0o600);
  }
});

test.concurrent('stopping twice is stopping once', async () => {
  await using place = await scratch();
  const { url, stop } = await startEmbedded(place.dir);
  await Promise.all([stop(), stop()]);
  await stop();
  expect(await findPostmaster(join(place.dir, 'postgres'))).toBeUndefined();
  await expect(query(url, 'select')).rejects.toThrow('ECONNREFUSED');
});

test.concurrent('a second server is refused within seconds, and told who is there', async () => {
  await using place = await scratch();
  const first = place.serve();
  const url = await first.said;
  const began = performance.now();
  await expect(startEmbedded(place.dir)).rejects.toMatchObject({
    code: 'START_FAILED',
    message: `Another server (process ${first.child.pid}) is already using ${place.dir}. Stop it, or set DATA_DIR or DATABASE_URL.`,
  });
  expect(performance.now() - began).toBeLessThan(10_000); // three, unless the machine is slow
  expect(await query(url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
});

test.concurrent('the Postgres of a killed server is taken over, with all that is in it', async () => {
  await using place = await scratch();
  const first = place.serve();
  await query(await first.said, 'create table kept as select 42 as answer');
  const before = await findPostmaster(join(place.dir, 'postgres'));
  await kill(first.child);
  const second = await startEmbedded(place.dir);
  expect(await findPostmaster(join(place.dir, 'postgres'))).toEqual(before);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  await second.stop();
  expect(await findPostmaster(join(place.dir, 'postgres'))).toBeUndefined();
});

test.concurrent('of two first starts at once exactly one wins, and the other is told so', async () => {
  await using place = await scratch();
  const servers = [place.serve(), place.serve()];
  const said = await Promise.all(servers.map((server) => server.said));
  const winner = servers[said.findIndex((line) => line.startsWith('postgres://'))];
  expect(said.toSorted()).toEqual([
    `START_FAILED: Another server (process ${winner?.child.pid}) is already using ${place.dir}. Stop it, or set DATA_DIR or DATABASE_URL.`,
    expect.stringMatching(/^postgres:/),
  ]);
  expect((await readdir(place.dir)).toSorted()).toEqual(['postgres', 'postgres.log', 'postgres.password']);
});

test.concurrent('a server killed in the middle of its first start hinders no one and leaves nothing', async () => {
  await using place = await scratch();
  const first = place.serve();
  await until(async () =>
    (await readdir(place.dir)).some((name) => existsSync(join(place.dir, name, 'data'))),
  );
  await kill(first.child);
  expect(existsSync(join(place.dir, 'postgres'))).toBe(false);
  const { url } = await startEmbedded(place.dir);
  expect(await query(url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
  await until(async () => (await readdir(place.dir)).length === 3);
});

test.concurrent('a Postgres that was killed recovers, though its pid file is still there', async () => {
  await using place = await scratch();
  const first = await startEmbedded(place.dir);
  await query(first.url, 'create table kept as select 42 as answer');
  const postmaster = await findPostmaster(join(place.dir, 'postgres'));
  process.kill(postmaster?.pid ?? Number.NaN, 'SIGKILL');
  await first.stop();
  const second = await startEmbedded(place.dir);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
});

test.concurrent('a pid file that names some other living process does not hinder', async () => {
  await using place = await scratch();
  const first = await startEmbedded(place.dir);
  const pidFile = join(place.dir, 'postgres', 'postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8')).split('\n');
  await first.stop();
  await writeFile(pidFile, [process.pid, ...lines.slice(1)].join('\n'));
  await startEmbedded(place.dir);
});

test.concurrent('a folder with something else in it is left alone', async () => {
  await using place = await scratch();
  await mkdir(join(place.dir, 'postgres'));
  await writeFile(join(place.dir, 'postgres', 'diary.txt'), 'Dear diary');
  await expect(startEmbedded(place.dir)).rejects.toMatchObject({
    code: 'START_FAILED',
    message: expect.stringContaining('holds something else than a Postgres'),
  });
  expect(await readdir(join(place.dir, 'postgres'))).toEqual(['diary.txt']);
});

test.concurrent('without the password of an existing Postgres the start fails, and nothing stays running', async () => {
  await using place = await scratch();
  await (await startEmbedded(place.dir)).stop();
  await writeFile(join(place.dir, 'postgres.password'), 'lost and guessed');
  await expect(startEmbedded(place.dir)).rejects.toMatchObject({
    code: 'START_FAILED',
    message: expect.stringContaining('does not take the password'),
  });
  expect(await findPostmaster(join(place.dir, 'postgres'))).toBeUndefined();
});

test
  .skipIf(!isRoot)
  .concurrent('root can start it in a folder that is closed to everybody else', async () => {
    await using place = await scratch();
    await chmod(place.dir, 0o700);
    const { url } = await startEmbedded(place.dir);
    expect((await stat(place.dir)).uid).toBe(0);
    expect((await stat(join(place.dir, 'postgres'))).uid).not.toBe(0);
    expect(await query(url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
  });

test.skipIf(!isRoot).concurrent('root can start it in a folder that is open to everybody', async () => {
  await using place = await scratch();
  await chmod(place.dir, 0o755);
  const { url } = await startEmbedded(place.dir);
  expect(await query(url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
});

const SERVER = `
  import { startEmbedded } from ${JSON.stringify(new URL('../../src/store/embedded.ts', import.meta.url).href)};
  const { url } = await startEmbedded(process.argv[1]).catch(({ code, message }) => ({ url: code + ': ' + message }));
  console.log(url);
`;

/** A folder, and the servers on it. In the end they are killed, its Postgres is stopped and it is removed. */
async function scratch(subfolder = '.') {
  const root = await mkdtemp(join(tmpdir(), 'embedded-'));
  const dir = join(root, subfolder);
  const children: ChildProcess[] = [];
  return {
    dir,
    /** A server in a process of its own. It says its URL or why it failed. */
    serve() {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', SERVER, dir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      const line = once(createInterface(child.stdout), 'line');
      const said = Promise.race([line, once(child, 'close')]).then(([word]) => String(word));
      return { child, said };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map(kill));
      const postmaster = await findPostmaster(join(dir, 'postgres'));
      if (postmaster && postmaster.pid !== process.pid)
        await stopPostmaster(await openCluster(dir), postmaster.pid);
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Never true: ${condition}`);
    await nextTurn();
  }
}

async function query(url: string, statement: string): Promise<unknown[]> {
  const sql = postgres(url, { max: 1 });
  try {
    return [...(await sql.unsafe(statement))];
  } finally {
    await sql.end();
  }
}
