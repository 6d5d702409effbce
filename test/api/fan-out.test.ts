import { expect, test, vi } from 'vitest';
import type { WakeUps } from '../../src/store/wake-ups.ts';
import { feed } from '../support/chat-server.ts';
import { checkEventRules } from '../support/event-rules.ts';
import { createResponse } from '../support/graphql.ts';
import { type OwnRedis, startRedis, testWithOwnRedis } from '../support/redis.ts';
import { follow, type StreamEvent } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const POLL_MS = 1000;

/** As promised: about a second, on a machine that others use too. */
const AT_MOST_MS = POLL_MS + 500;

/** Half of a poll: nobody who only polls is always as quick. */
const AT_ONCE_MS = POLL_MS / 2;

/** Wake-ups that can be lost on purpose, on their way in. */
function losing() {
  const gate = { open: true };
  const throughWakeUps = (real: WakeUps): WakeUps => ({
    ...real,
    listen: ({ onWakeUps, onGap }) =>
      real.listen({ onGap, onWakeUps: (wakeUps) => (gate.open ? onWakeUps(wakeUps) : undefined) }),
  });
  return { gate, throughWakeUps };
}

interface FollowedRun {
  /** Says a word, and measures how long it takes to the follower on the other instance. In milliseconds. */
  lag(): Promise<number>;
  /** Ends the run, and checks the whole of what was heard. */
  finish(): Promise<readonly StreamEvent[]>;
}

/** A run on one instance with a follower on another. */
async function followFrom(app: TestApp, beside: TestApp): Promise<FollowedRun> {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  const heard: StreamEvent[] = [];
  let told = () => {};
  const following = (async () => {
    for await (const event of follow(beside, { id })) {
      heard.push(event);
      told();
    }
  })();
  const text = () => heard.map((event) => event['delta'] ?? '').join('');
  let said = '';
  const isHeard = () => text() === said;
  return {
    lag: async () => {
      const word = `${said.length} `;
      const { promise, resolve } = Promise.withResolvers<void>();
      told = () => {
        if (isHeard()) resolve();
      };
      said += word;
      const began = performance.now();
      await upstream.say(word);
      await promise;
      return performance.now() - began;
    },
    finish: async () => {
      await upstream.end();
      await following;
      checkEventRules(heard);
      expect(heard.at(-1)?.['response'].outputText).toBe(said);
      return heard;
    },
  };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

async function lags(run: FollowedRun, count: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (let each = 0; each < count; each++) found.push(await run.lag());
  return found;
}

/** Two instances that know of each other. */
async function startPair(config: object, throughWakeUps?: (real: WakeUps) => WakeUps) {
  const timing = { pollMs: POLL_MS, lease: { leaseMs: 10_000, renewMs: 200, sweepMs: 5000 } };
  const app = await startTestApp({ config, timing });
  const beside = await startTestApp({ beside: app, config, timing: { ...timing, throughWakeUps } });
  return {
    app,
    beside,
    async [Symbol.asyncDispose]() {
      await beside[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}

/** Until the instances have heard of each other, words come with the poll. */
async function warm(run: FollowedRun): Promise<void> {
  await vi.waitUntil(async () => (await run.lag()) < AT_ONCE_MS && (await run.lag()) < AT_ONCE_MS, {
    timeout: 10_000,
  });
}

test('over Postgres: followers elsewhere hear at once; with every notification lost, at the next poll', async () => {
  const { gate, throughWakeUps } = losing();
  await using pair = await startPair({}, throughWakeUps);
  const run = await followFrom(pair.app, pair.beside);
  await warm(run);
  expect(median(await lags(run, 9))).toBeLessThan(AT_ONCE_MS / 2);
  gate.open = false;
  expect(Math.max(...(await lags(run, 4)))).toBeLessThan(AT_MOST_MS);
  gate.open = true;
  expect(median(await lags(run, 9))).toBeLessThan(AT_ONCE_MS / 2);
  await run.finish();
});

test('over Postgres: the connection of the listener may be killed again and again', async () => {
  await using pair = await startPair({});
  const run = await followFrom(pair.app, pair.beside);
  await warm(run);
  const { sql } = pair.app.database;
  for (let kill = 0; kill < 5; kill++) {
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'`;
    expect(Math.max(...(await lags(run, 2)))).toBeLessThan(AT_MOST_MS);
  }
  await warm(run);
  await run.finish();
});

testWithOwnRedis('over Redis: it may stop and start again; meanwhile followers elsewhere poll', async () => {
  await using redis: OwnRedis = await startRedis();
  await using pair = await startPair({ redisUrl: redis.url });
  const run = await followFrom(pair.app, pair.beside);
  await warm(run);
  expect(median(await lags(run, 9))).toBeLessThan(AT_ONCE_MS / 2);
  await redis.stop();
  expect(Math.max(...(await lags(run, 3)))).toBeLessThan(AT_MOST_MS);
  await redis.start();
  await warm(run);
  expect(median(await lags(run, 9))).toBeLessThan(AT_ONCE_MS / 2);
  redis.freeze();
  expect(Math.max(...(await lags(run, 2)))).toBeLessThan(AT_MOST_MS);
  redis.thaw();
  await warm(run);
  await run.finish();
});

testWithOwnRedis('a Redis that is away when servers start is used as soon as it is there', async () => {
  await using redis = await startRedis();
  await redis.stop();
  await using pair = await startPair({ redisUrl: redis.url });
  const run = await followFrom(pair.app, pair.beside);
  expect(await run.lag()).toBeLessThan(AT_MOST_MS);
  await redis.start();
  await warm(run);
  await run.finish();
});
