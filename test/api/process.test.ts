import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test, vi } from 'vitest';
import { type ChatServer, feed, hangsAfter, startChatServer } from '../support/chat-server.ts';
import { CREATE, createResponse, readResponse, send } from '../support/graphql.ts';
import { createDataFolder, type ServerProcess } from '../support/server-process.ts';
import { collect } from '../support/stream.ts';

// Each starts programs, and a Postgres from nothing.
vi.setConfig({ maxConcurrency: 2, testTimeout: 90_000 });

const environmentFor = ({ baseUrl }: ChatServer) => ({
  OPENAI_BASE_URL: baseUrl,
  DEFAULT_MODEL: 'test-model',
});

/** A streamed response that has said this and hangs. */
async function hangingRun(server: ServerProcess, upstream: ChatServer, text: string): Promise<string> {
  upstream.enqueue(hangsAfter(text));
  const { id } = await createResponse(server, { input: { text: 'Hi' }, stream: true });
  await vi.waitUntil(async () => (await readResponse(server, id)).outputText === text, { interval: 20 });
  return id;
}

test.concurrent('after kill -9 everything stored is served, and the run in flight is FAILED with its text', async () => {
  await using upstream = await startChatServer();
  await using folder = await createDataFolder();
  const first = await folder.run(environmentFor(upstream));
  const whole = await createResponse(first, { input: { text: 'Hi' } });
  const id = await hangingRun(first, upstream, 'Cut in mid-');
  first.child.kill('SIGKILL');
  await first.ended;

  const second = await folder.run(environmentFor(upstream));
  expect(await readResponse(second, whole.id)).toEqual(whole);
  const failed = await readResponse(second, id);
  expect(failed).toMatchObject({
    status: 'FAILED',
    output: [{ status: 'INCOMPLETE', text: 'Cut in mid-' }],
    error: { code: 'server_error' },
  });
  expect((await collect(second, { id })).at(-1)?.['response']).toEqual(failed);

  const began = performance.now();
  second.child.kill('SIGTERM');
  expect(await second.ended).toEqual({
    code: 0,
    out: expect.stringMatching(/^listening on .*\nstopping\n$/),
    err: '',
  });
  expect(performance.now() - began).toBeLessThan(4000); // there is nothing to wait for; a busy machine takes a while
  expect(await folder.hasPostgres()).toBe(false);
});

test.concurrent('a signal, even twice at once, lets a hanging run go on; one more, later, ends it as FAILED with its text', async () => {
  await using upstream = await startChatServer();
  await using folder = await createDataFolder();
  const first = await folder.run(environmentFor(upstream));
  const id = await hangingRun(first, upstream, 'Not the whole ');
  const live = collect(first, { id });
  const began = performance.now();
  first.child.kill('SIGTERM');
  first.child.kill('SIGTERM');
  let isOver = false;
  void first.ended.then(() => {
    isOver = true;
  });
  const insist = () => {
    first.child.kill('SIGINT');
    return isOver;
  };
  await vi.waitUntil(insist, { timeout: 20_000, interval: 300 });
  expect(performance.now() - began).toBeGreaterThan(1000);
  const last = (await live).at(-1)?.['response'];
  expect(last).toMatchObject({
    status: 'FAILED',
    output: [{ status: 'INCOMPLETE', text: 'Not the whole ' }],
    error: { code: 'server_error' },
  });
  expect(await first.ended).toMatchObject({ code: 0, err: '' });
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(await folder.hasPostgres()).toBe(false);
  const second = await folder.run(environmentFor(upstream));
  expect(await readResponse(second, id)).toEqual(last);
});

test.concurrent('a run that ends within the grace ends as COMPLETED; new ones are refused meanwhile', async () => {
  await using upstream = await startChatServer();
  await using folder = await createDataFolder();
  const server = await folder.run(environmentFor(upstream));
  const speaking = feed();
  upstream.enqueue(speaking.answer);
  const waiting = createResponse(server, { input: { text: 'Hi' } });
  await speaking.say('Almost ');
  const began = performance.now();
  server.child.kill('SIGTERM');
  const ready = new URL('/ready', server.url);
  await vi.waitUntil(async () => (await fetch(ready)).status === 503, { timeout: 5000, interval: 10 });
  expect(await send(server, CREATE, { input: { input: { text: 'Hi' } } })).toMatchObject({
    errors: [{ extensions: { code: 'UNAVAILABLE' } }],
  });
  await speaking.say('there');
  await speaking.end();
  expect(await waiting).toMatchObject({ status: 'COMPLETED', outputText: 'Almost there' });
  expect(await server.ended).toMatchObject({ code: 0 });
  expect(performance.now() - began).toBeLessThan(4000);
});

test.concurrent('SIGTERM during the start ends the process, and Postgres with it', async () => {
  await using folder = await createDataFolder();
  const starting = folder.run({});
  await vi.waitUntil(() => folder.hasPostgres(), { timeout: 60_000, interval: 5 });
  folder.first?.kill('SIGTERM');
  await (await starting).ended;
  expect(await folder.hasPostgres()).toBe(false);
});

test.concurrent('a second server on one folder is refused in one line that names the first', async () => {
  await using upstream = await startChatServer();
  await using folder = await createDataFolder();
  const first = await folder.run(environmentFor(upstream));
  const second = await folder.run(environmentFor(upstream));
  expect(await second.ended).toEqual({
    code: 1,
    out: '',
    err: `Another server (process ${first.child.pid}) is already using ${folder.path}. Stop it, or set DATA_DIR or DATABASE_URL.\n`,
  });
  expect(await createResponse(first, { input: { text: 'Hi' } })).toMatchObject({ status: 'COMPLETED' });
});

test.concurrent('a port that is taken is one line, and no Postgres is left behind', async () => {
  await using folder = await createDataFolder();
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { readonly port: number };
  const { ended } = await folder.run({ PORT: String(port) });
  expect(await ended).toEqual({
    code: 1,
    out: '',
    err: `Cannot listen on 127.0.0.1:${port}. Another program listens there; set PORT.\n`,
  });
  expect(await folder.hasPostgres()).toBe(false);
  other.close();
});

test.concurrent.each([
  ['PORT', 'http', /^PORT cannot be "http": it must be a whole number from 0 to 65535\.\n$/],
  ['DATABASE_URL', 'postgres://a:secret@127.0.0.1:9/b', /^The database cannot be used: .*ECONNREFUSED.*\n$/],
])('%s=%s is refused in one line that says what is wrong', async (key, value, line) => {
  await using folder = await createDataFolder();
  const { code, out, err } = await (await folder.run({ [key]: value })).ended;
  expect(err).toMatch(line);
  expect(err).not.toContain('secret');
  expect({ code, out }).toEqual({ code: 1, out: '' });
});
