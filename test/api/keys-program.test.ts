import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { looksLikeApiKey, newApiKey } from '../../src/protocol/api-keys.ts';
import { createResponse, send } from '../support/graphql.ts';
import { introduce } from '../support/keys.ts';
import { blocks, ROOT } from '../support/readme.ts';
import { createDataFolder, type DataFolder } from '../support/server-process.ts';
import { createTestDatabase } from '../support/test-database.ts';

// It starts programs, and a Postgres from nothing.
vi.setConfig({ testTimeout: 180_000 });

const run = promisify(execFile);

/** `npm run keys -- …` with the data of servers in this folder, or in a database. */
async function keys(environment: { readonly [name: string]: string }, ...words: readonly string[]) {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, ...environment };
  const program = run(process.execPath, [join(ROOT, 'src/keys.ts'), ...words], { env, cwd: '/' });
  return program.then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    ({ code, stdout, stderr }) => ({ code, out: stdout, err: stderr }),
  );
}

const inFolder = ({ path }: DataFolder) => ({ DATA_DIR: path });

test.concurrent('keys are made before the server runs and while it runs, let in, and are shown and written nowhere', async () => {
  await using folder = await createDataFolder();
  const early = await keys(inFolder(folder), 'create', '--name', 'early');
  expect(early).toEqual({
    code: 0,
    out: expect.stringMatching(/^rgk_[0-9A-Za-z]{49}\n$/),
    err: expect.stringMatching(
      /^key_[0-9a-f]{32} "early" for the tenant default\. It does not expire\. .*\n$/,
    ),
  });
  expect(await folder.hasPostgres()).toBe(false);
  const server = await folder.run({ AUTH: 'keys', LOG_LEVEL: 'trace', HOST: '0.0.0.0' });
  const url = server.url.replace('0.0.0.0', '127.0.0.1');
  const late = await keys(
    inFolder(folder),
    'create',
    '--name',
    'late',
    '--tenant',
    'owls',
    '--expires',
    '30d',
  );
  const [earlyKey = '', lateKey = ''] = [early.out.trim(), late.out.trim()];
  expect(looksLikeApiKey(earlyKey) && looksLikeApiKey(lateKey)).toBe(true);

  const socket = await introduce({ url }, { params: { authorization: `Bearer ${lateKey}` } });
  expect(socket.isIn).toBe(true);
  for (const key of [earlyKey, lateKey])
    await createResponse({ url, authorization: `Bearer ${key}` }, { input: { text: 'Hi' } });
  const wrong = newApiKey();
  expect((await send({ url, authorization: `Bearer ${wrong}` }, '{ __typename }')).errors).toHaveLength(1);
  expect((await introduce({ url }, { params: { authorization: wrong } })).isIn).toBe(false);

  const [, usage = ''] = blocks('sh').filter((block) => /AUTH=keys|keys -- create/.test(block));
  expect(usage).toContain('npm run -s keys -- create --name laptop');
  const pasted = usage.replace('http://127.0.0.1:4000/graphql', url);
  const { stdout } = await run('bash', ['-c', pasted], {
    env: { ...process.env, ...inFolder(folder) },
    cwd: ROOT,
  });
  expect(JSON.parse(stdout)).toEqual({ data: { models: [{ name: 'demo' }] } });

  const listed = await keys(inFolder(folder), 'list');
  const line = listed.out.split('\n').find((each: string) => each.includes(' late '));
  expect(line).toMatch(/^key_[0-9a-f]{32} {2}late +owls +20\S+ \S+Z +(never|20\S+ \S+Z) +20\S+ \S+Z$/);
  const [id = ''] = line?.split(' ') ?? [];
  expect(await keys(inFolder(folder), 'revoke', id)).toMatchObject({ code: 0, out: '' });
  const began = performance.now();
  expect(await socket.closed).toEqual({ code: 4401, reason: 'Unauthorized' });
  expect(performance.now() - began).toBeLessThan(10_000);
  expect((await send({ url, authorization: `Bearer ${lateKey}` }, '{ __typename }')).errors).toHaveLength(1);
  expect((await keys(inFolder(folder), 'list')).out).toMatch(/ late +owls .* revoked 20\S+ \S+Z\n/);

  server.child.kill('SIGTERM');
  const { code, out, err } = await server.ended;
  expect(code).toBe(0);
  for (const key of [earlyKey, lateKey, wrong])
    expect(`${out}${err}${listed.out}`).not.toContain(key.slice(4, 30));
  expect(await folder.hasPostgres()).toBe(false);
});

test.concurrent('what cannot be done is said in one line, with nothing on stdout', async () => {
  await using database = await createTestDatabase();
  const store = { DATABASE_URL: database.url };
  const wrong = async (words: readonly string[], line: RegExp) => {
    const { code, out, err } = await keys(store, ...words);
    expect({ code, out }, err).toEqual({ code: 1, out: '' });
    expect(err).toMatch(line);
    expect(err.trim().split('\n')).toHaveLength(1);
  };
  const [elsewhere, help] = await Promise.all([
    keys({ DATABASE_URL: 'mysql://a:secret@b' }, 'list'),
    keys(store, '--help'),
    wrong(['create', '--name', 'a', '--tenant', 'a b'], /^--tenant must be up to 64 letters/),
    wrong(['revoke', 'key_1'], /^There is no key "key_1"\.\n$/),
  ]);
  expect(elsewhere).toEqual({
    code: 1,
    out: '',
    err: 'DATABASE_URL cannot be that value: it must be a URL like postgres://host/database, with user:password@ before the host.\n',
  });
  expect(await database.sql`select 1 from api_keys`).toHaveLength(0);
  expect(help).toMatchObject({ code: 0, err: '' });
  expect(help.out).toContain('npm run keys -- create --name NAME');
});
