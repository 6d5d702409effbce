import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startChatServer } from '../support/chat-server.ts';
import { checkEventRules } from '../support/event-rules.ts';
import { followThrough } from '../support/follow-through.ts';
import { CREATE, readResponse, send } from '../support/graphql.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { startInstances } from './instances.ts';
import { pacedStory } from './story.ts';

/** As a client behind a balancer does that still sends to a server which is about to go. */
async function insist<Value>(work: () => Promise<Value>): Promise<Value> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // of fetch: no connection
      await delay(20);
    }
  }
}

const MODES = ['waiting', 'streamed', 'background'] as const;

test('three servers are restarted one after the other under load: what was accepted ends whole', async () => {
  const story = pacedStory({ words: 60, paceMs: 40 });
  await using upstream = await startChatServer(story.answer);
  await using database = await createTestDatabase();
  await using instances = await startInstances(3, {
    DATABASE_URL: database.url,
    OPENAI_BASE_URL: upstream.baseUrl,
    DEFAULT_MODEL: 'test-model',
  });
  const counts = { accepted: 0, sentElsewhere: 0, completed: 0, lost: 0 };
  let loading = true;
  const ask = async (index: number) => {
    const mode = MODES[index % MODES.length];
    const input = {
      input: { text: `story ${index}` },
      stream: mode === 'streamed',
      background: mode === 'background',
      ...(mode === 'waiting' && { idempotencyKey: `story ${index}` }),
    };
    for (;;) {
      // A balancer that has not heard yet still sends requests to a server that stops: refused, they go elsewhere.
      const answer = await send(instances, CREATE, { input }).catch(() => null);
      const given = answer?.data?.createResponse?.response;
      if (!given) {
        counts.sentElsewhere++;
        expect(answer?.errors?.[0]?.extensions?.['code'] ?? 'UNAVAILABLE').toBe('UNAVAILABLE');
        await delay(20);
        continue;
      }
      counts.accepted++;
      const events = await Array.fromAsync(followThrough(instances, { id: given.id }));
      checkEventRules(events);
      const response = await insist(() => readResponse(instances, given.id));
      expect(events.at(-1)?.['response']).toEqual(response);
      if (response.status === 'COMPLETED' && response.outputText === story.textOf(index)) counts.completed++;
      else counts.lost++;
      return;
    }
  };
  let index = 0;
  const asking: Promise<void>[] = [];
  const load = (async () => {
    while (loading) {
      asking.push(ask(index++));
      await delay(60);
    }
  })();
  await delay(1000);
  const codes: (number | null)[] = [];
  const took: number[] = [];
  for (const old of [...instances.alive]) {
    await instances.start();
    const began = performance.now();
    codes.push((await instances.kill(old, 'SIGTERM')).code);
    took.push(Math.round(performance.now() - began));
  }
  await delay(1000);
  loading = false;
  await load;
  await Promise.all(asking);
  const [row] = await database.sql`select max(take_overs) as most from responses`;
  process.stdout.write(`${JSON.stringify({ ...counts, codes, stopMs: took, takeOvers: row?.['most'] })}\n`);
  expect(codes).toEqual([0, 0, 0]);
  expect(counts.lost).toBe(0);
  expect(counts.completed).toBe(counts.accepted);
});
