import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startChatServer } from '../support/chat-server.ts';
import { checkEventRules } from '../support/event-rules.ts';
import { followThrough } from '../support/follow-through.ts';
import { createResponse, readResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { chooseSeed, createRandom } from '../support/random.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { mcp } from '../support/tools.ts';
import { type Instances, startInstances } from './instances.ts';
import { doJob, ROUNDS, wordsOf } from './jobs.ts';

const KILLS = 20;
const seed = chooseSeed();

/** Follows a job from wherever there is a server, and measures the longest silence. */
async function watch(instances: Instances, id: string) {
  const events = [];
  let last = performance.now();
  let silence = 0;
  for await (const event of followThrough(instances, { id })) {
    silence = Math.max(silence, performance.now() - last);
    last = performance.now();
    events.push(event);
  }
  checkEventRules(events);
  return { events, silence };
}

test(`${KILLS} times the process that runs a job is killed with -9 at a random moment (TEST_SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const effects: string[] = [];
  const effect = {
    run: async ({ job, round }: { readonly [name: string]: unknown }) => {
      effects.push(`${job}/${round}`);
      await delay(150);
      return `effect ${job}/${round}`;
    },
  };
  await using upstream = await startChatServer(doJob);
  await using server = await startMcpServer({ tools: { effect } });
  await using database = await createTestDatabase();
  await using instances = await startInstances(3, {
    DATABASE_URL: database.url,
    OPENAI_BASE_URL: upstream.baseUrl,
    DEFAULT_MODEL: 'test-model',
    MCP_ALLOW_PRIVATE: 'true',
  });
  const jobs = [];
  for (let job = 0; job < KILLS; job++) {
    const input = { input: { text: `job ${job}` }, tools: [mcp('m', server)], background: true };
    const { id } = await createResponse(instances, input);
    const watching = watch(instances, id);
    watching.catch(() => {}); // met below
    await delay(random(1400));
    const owner = await instances.ownerOf(id);
    if (owner !== undefined) await instances.kill(owner, 'SIGKILL');
    jobs.push({ job, id, watching, wasKilled: owner !== undefined });
    if (owner !== undefined) await instances.start();
  }
  const report = { killed: 0, completed: 0, takenOver: 0, interrupted: 0, snapshots: 0, longestSilenceMs: 0 };
  for (const { job, id, watching, wasKilled } of jobs) {
    const { events, silence } = await watching;
    const response = await readResponse(instances, id);
    expect(response).toMatchObject({ status: 'COMPLETED', error: null });
    expect(events.at(-1)?.['response']).toEqual(response);
    const last = response.output.at(-1);
    expect(last.text).toBe(wordsOf(job, ROUNDS).join(''));
    const [row] = await database.sql`select take_overs from responses where id = ${id}`;
    const made = response.output.filter(({ __typename }: { __typename: string }) => __typename === 'McpCall');
    expect(made).toHaveLength(ROUNDS);
    report.killed += Number(wasKilled);
    report.completed++;
    report.takenOver += row?.['take_overs'];
    report.interrupted += made.filter(({ error }: { error: unknown }) => error !== null).length;
    report.snapshots += events.filter(({ __typename }) => __typename === 'ResponseSnapshotEvent').length;
    report.longestSilenceMs = Math.max(report.longestSilenceMs, Math.round(silence));
  }
  process.stdout.write(`${JSON.stringify({ ...report, effects: effects.length })}\n`);
  expect(new Set(effects).size).toBe(effects.length); // each at most once
  expect(report.longestSilenceMs).toBeLessThan(30_000);
});
