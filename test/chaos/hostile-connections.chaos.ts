import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { feed, says, startChatServer } from '../support/chat-server.ts';
import { createResponse } from '../support/graphql.ts';
import { answeringOptions, innerStateOf } from '../support/inner-state.ts';
import { createKey } from '../support/keys.ts';
import { createDataFolder } from '../support/server-process.ts';
import { createTestDatabase } from '../support/test-database.ts';
import type { Order, Outcome } from './hostile/orders.ts';
import { serveWell } from './hostile/well-behaved.ts';

/** How long each nuisance lasts, once it is there. In milliseconds. */
const LASTS_MS = 12_000;

/** Who asks this gets an answer that does not end. */
const LASTS = 'Speak on';

function startHostile() {
  const child = fork(join(import.meta.dirname, 'hostile/hostile.ts'), { execArgv: [] });
  return {
    async do(order: Order): Promise<Outcome> {
      child.send(order);
      const [outcome] = await once(child, 'message');
      return outcome;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

test('thousands that connect and do nothing, or too slowly, or too much, are bounded, and somebody who does it right is served', async () => {
  const lasting = feed();
  const usual = says('one ', 'two ', 'three.');
  await using upstream = await startChatServer((exchange) =>
    (exchange.body.messages.at(-1)?.content === LASTS ? lasting.answer : usual)(exchange),
  );
  await using database = await createTestDatabase();
  await using folder = await createDataFolder();
  const { url, child } = await folder.run({
    OPENAI_BASE_URL: upstream.baseUrl,
    DATABASE_URL: database.url,
    DEFAULT_MODEL: 'test-model',
    AUTH: 'keys',
    MAX_RUNS_PER_MINUTE: '0',
    REQUEST_TIMEOUT_MS: '10000',
    LOG_LEVEL: 'error',
    NODE_OPTIONS: await answeringOptions(folder.path),
  });
  const complaints: string[] = [];
  child.stderr?.on('data', (bytes) => complaints.push(String(bytes)));
  const newKeys = (count: number) =>
    Promise.all(Array.from({ length: count }, () => createKey({ database }).then(({ key }) => key)));
  const state = async () => {
    const { memory, resources } = await innerStateOf(child);
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000;
    const files = (await readdir(`/proc/${child.pid}/fd`)).length;
    return { memory: Math.round(memory / 1e5) / 10, rss: Math.round(rss), files, resources };
  };
  await using hostile = startHostile();
  const { authorization } = await createKey({ database });
  await using good = serveWell({ url, authorization });
  const note = (figures: object) => process.stdout.write(`${JSON.stringify(figures)}\n`);

  /** Carries it out, lets it last, and then lets it go. */
  const suffer = async (what: string, order: Order) => {
    await good.waits();
    const settled = await hostile.do(order);
    const whileComing = await good.waits();
    const during = await state();
    await good.waits();
    await delay(LASTS_MS);
    const waits = await good.waits();
    const left = await hostile.do({ type: 'leave' });
    await delay(1000);
    const whileGoing = await good.waits();
    note({ what, settled, whileComing, waits, whileGoing, during, left });
    return { settled, left, waits, during };
  };

  await delay(LASTS_MS / 2);
  await good.waits(); // everything is warm
  await delay(LASTS_MS);
  const before = { waits: await good.waits(), state: await state() };
  note({ what: 'nothing', ...before });

  const keys = await newKeys(5);
  const [key = ''] = keys;
  const idle: Order = { type: 'idle', url, count: 5000, keys };
  const first = await suffer('5,000 that are in', idle);
  expect(first.settled).toEqual({ in: 5000 });
  const greedy = await suffer('5,000 with one key', { ...idle, keys: keys.slice(0, 1) });
  expect(greedy.settled).toMatchObject({ in: 1000 });

  const silent = await suffer('5,000 that do not begin', { type: 'silent', url, count: 5000 });
  expect(silent.left['closed 4408']).toBeGreaterThan(5000);

  const slow = await suffer('1,000 that send slowly', { type: 'slow', url, count: 1000, key });
  expect(slow.left['answered 408']).toBeGreaterThanOrEqual(1000);

  const asker = { url, authorization: `Bearer ${key}` };
  const long = await createResponse(asker, { input: { text: LASTS }, stream: true });
  const many = await suffer('1,000 subscriptions on one socket', {
    type: 'subscribe',
    url,
    count: 1000,
    key,
    id: long.id,
  });
  expect(many.settled).toMatchObject({ followed: 500, refused: 500 });
  await lasting.end();

  const again = await suffer('5,000 that are in, again', idle);
  expect(again.settled).toEqual({ in: 5000 });

  await expect
    .poll(async () => (await state()).files, { timeout: 20_000 })
    .toBeLessThan(before.state.files + 20);
  await good.waits();
  await delay(LASTS_MS);
  const after = { waits: await good.waits(), state: await state() };
  note({ what: 'nothing any more', ...after });
  expect(after.state.memory).toBeLessThan(before.state.memory + 30);
  for (const { waits } of [first, silent, slow, many, again]) expect(waits.longest).toBeLessThan(2000);
  expect(complaints.filter((each) => !each.startsWith('INNER STATE'))).toEqual([]);
});
