import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startChatServer } from '../support/chat-server.ts';
import { checkEventRules } from '../support/event-rules.ts';
import { followThrough } from '../support/follow-through.ts';
import { createResponse, readResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { follow } from '../support/stream.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { mcp } from '../support/tools.ts';
import { startInstances } from './instances.ts';
import { doJob, ROUNDS } from './jobs.ts';

/** How long a process stands still. In milliseconds. */
const PAUSE_MS = 60_000;

test('a process that stood still for a minute writes, tells and calls nothing of runs that were taken over', async () => {
  const effects: string[] = [];
  const effect = {
    run: ({ job, round }: { readonly [name: string]: unknown }) => {
      effects.push(`${job}/${round}`);
      return 'done';
    },
  };
  await using upstream = await startChatServer(doJob);
  await using server = await startMcpServer({ tools: { effect } });
  await using database = await createTestDatabase();
  await using instances = await startInstances(2, {
    DATABASE_URL: database.url,
    OPENAI_BASE_URL: upstream.baseUrl,
    DEFAULT_MODEL: 'test-model',
    MCP_ALLOW_PRIVATE: 'true',
  });
  const [paused, other] = instances.alive;
  if (paused === undefined || other === undefined) throw new Error('two servers are needed');
  // Staggered, so that the pause meets them at different places.
  const ids: string[] = [];
  for (let job = 0; job < 12; job++) {
    const input = { input: { text: `job ${job}` }, tools: [mcp('m', server)] };
    ids.push((await createResponse(paused, { ...input, background: true })).id);
    await delay(100);
  }
  // Somebody who follows at the paused process hears nothing from it that is not in the log.
  const heard = ids.map(async (id) => {
    const events = [];
    try {
      for await (const event of follow(paused, { id })) events.push(event);
    } catch {} // it may be sent elsewhere
    return events;
  });
  await delay(300);
  const owned = new Set<string>();
  for (const id of ids) if ((await instances.ownerOf(id)) === paused) owned.add(id);
  paused.child.kill('SIGSTOP');
  await delay(PAUSE_MS);
  const before = await database.sql`select * from events order by response_id, first`;
  const effectsBefore = [...effects];
  for (const id of ids) expect(await readResponse(other, id)).toMatchObject({ status: 'COMPLETED' });
  const asked = upstream.exchanges.length;
  paused.child.kill('SIGCONT');
  // It is itself again once it takes work under a new lease.
  await expect
    .poll(
      () =>
        createResponse(paused, { input: { text: 'job 99' } }).then(
          () => true,
          () => false,
        ),
      { timeout: 20_000 },
    )
    .toBe(true);
  await delay(5000);
  const after = await database.sql`
    select * from events where response_id = any(${ids}) order by response_id, first`;
  expect(after).toEqual(before.filter(({ response_id }) => ids.includes(response_id)));
  expect(effects).toEqual(effectsBefore);
  expect(new Set(effects).size).toBe(effects.length);
  for (const [index, id] of ids.entries()) {
    const whole = await Array.fromAsync(followThrough(other, { id }));
    checkEventRules(whole);
    const mine = await Promise.race([heard[index], delay(100, [])]);
    for (const event of mine ?? []) {
      const logged = whole[event.sequenceNumber];
      expect([logged?.__typename, logged?.cursor]).toEqual([event.__typename, event.cursor]);
    }
  }
  process.stdout.write(
    `${JSON.stringify({ runs: ids.length, ownedByPaused: owned.size, effects: effects.length, rounds: ROUNDS, askedAfter: upstream.exchanges.length - asked })}\n`,
  );
  expect(owned.size).toBeGreaterThan(5);
});
