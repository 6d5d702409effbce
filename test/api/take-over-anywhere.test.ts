import { expect, test, vi } from 'vitest';
import { endOf, queue } from '../support/background.ts';
import { type Answer, calls, says, USAGE } from '../support/chat-server.ts';
import { type Logged, leaveAfter, readLog } from '../support/cut-log.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { pendingItems, run } from '../support/run.ts';
import { startSearchServer } from '../support/search-server.ts';
import { collect } from '../support/stream.ts';
import type { TestApp } from '../support/test-app.ts';
import { answer, call, mcp, mcpAsking } from '../support/tools.ts';
import { toldTo } from '../support/upstream-tools.ts';

vi.setConfig({ testTimeout: 60_000 });

const QUICK = { lease: { leaseMs: 10_000, renewMs: 1000, sweepMs: 20 } };

/** Says what the model says next, going by how often it has spoken since the last user message. */
function plays(fleet: Fleet, ...rounds: readonly Answer[]): void {
  const next: Answer = (exchange) => {
    const { messages } = exchange.body;
    const since = messages.slice(messages.findLastIndex(({ role }) => role === 'user'));
    const round = since.filter(({ role }) => role === 'assistant').length;
    return (rounds[round] ?? says('Too much.'))(exchange);
  };
  fleet.upstream.enqueue(...Array.from({ length: 500 }, () => next));
}

// biome-ignore lint/suspicious/noExplicitAny: responses as they come
type Ended = any;

interface Cut {
  /** What the process had committed when it died, as a text too. */
  readonly log: readonly Logged[];
  readonly last: string;
  readonly ended: Ended;
}

/**
 * Leaves a response, which has ended, after each of its events in turn, as a process does that dies then, and has it
 * taken over. Its whole stream must be right every time, and show where the other process went on.
 */
async function* everyCut(app: TestApp, id: string): AsyncGenerator<Cut> {
  const whole = await endOf(app, id);
  expect(whole.status).toBe('COMPLETED');
  const log = await readLog(app.database, id);
  for (let length = 3; length < log.length; length++) {
    const cut = log.slice(0, length);
    const last = `after ${JSON.stringify(cut.at(-1))}`;
    await leaveAfter(app.database, id, cut);
    const ended = await endOf(app, id);
    const events = await collect(app, { id });
    const snapshots = events.filter(({ __typename }) => __typename === 'ResponseSnapshotEvent');
    expect(
      snapshots.map(({ sequenceNumber }) => sequenceNumber),
      last,
    ).toEqual([length]);
    expect(events.at(-1)?.['response'], last).toEqual(ended);
    expect(ended, last).toMatchObject({ status: 'COMPLETED', outputText: whole.outputText });
    toldTo(app); // every call has its answer, and none has two
    yield { log: cut, last, ended };
  }
}

const starts = (log: readonly Logged[]) =>
  log.filter(({ type, starts: isMark }) => isMark === true || type === 'response.web_search_call.searching')
    .length;

const messagesOf = ({ output }: Ended, pattern: RegExp): number =>
  output.filter(
    ({ error }: { error?: { type: string; message: string } | null }) =>
      error?.type === 'INTERRUPTED' && pattern.test(error.message),
  ).length;

test('wherever a process dies, another one completes its run, and no tool is called twice', async () => {
  await using fleet = await startFleet();
  await using search = await startSearchServer();
  await using office = await startMcpServer({ tools: { one: {}, two: {}, three: {} } });
  const webSearch = { provider: 'searxng', baseUrl: search.baseUrl } as const;
  const app = await fleet.start({ config: { webSearch }, timing: QUICK });
  plays(
    fleet,
    calls([call('one'), call('web_search', { query: 'Rome' }), call('two')], 'Let me look.'),
    calls([call('three'), { name: 'two', arguments: '[' }, call('unknown')], 'And again.'),
    says('All ', 'done.'),
  );
  const tools = [mcp('office', office), { webSearch: {} }];
  const id = await queue(app, { tools, maxToolCalls: 4 });
  await endOf(app, id);
  let before = { calls: office.calls.length, searches: search.searches.length };
  for await (const { log, last, ended } of everyCut(app, id)) {
    const made = office.calls.slice(before.calls).map(({ name }) => name);
    const since = [...made, ...search.searches.slice(before.searches).map(() => 'search')];
    before = { calls: office.calls.length, searches: search.searches.length };
    expect(new Set(since).size, last).toBe(since.length);
    expect(since.length + starts(log) + messagesOf(ended, /was not made/), last).toBe(4);
    expect(ended.usage, last).toMatchObject({
      inputTokens: 3 * USAGE.prompt_tokens,
      totalTokens: 3 * USAGE.total_tokens,
    });
  }
});

test('approved calls are made once, whoever makes them', async () => {
  await using fleet = await startFleet();
  await using disk = await startMcpServer({ tools: { remove: { run: ({ path }) => `removed ${path}` } } });
  const app = await fleet.start({ timing: QUICK });
  const paths = ['/a', '/b', '/c'];
  plays(fleet, calls(paths.map((path) => call('remove', { path }))), says('Gone.'));
  const tools = [mcpAsking('disk', disk)];
  const asked = await run(app, { input: { text: 'Clean up.' }, tools });
  const [a, b, c] = (await pendingItems(app, asked.id)).map(({ id }: { id: string }) => id);
  const items = [answer(a, true), answer(b, true), answer(c, false)];
  const id = await queue(app, { previousResponseId: asked.id, input: { items }, tools });
  await endOf(app, id);
  let before = disk.calls.length;
  for await (const { log, last, ended } of everyCut(app, id)) {
    const since = disk.calls.slice(before).map(({ args }) => args['path']);
    before = disk.calls.length;
    expect(new Set(since).size, last).toBe(since.length);
    expect(since.length + starts(log), last).toBe(2);
    const done = log.filter(
      ({ type, outputIndex = 9 }) => type === 'response.output_item.done' && outputIndex < 2,
    );
    const inFlight = starts(log) - done.length;
    expect(messagesOf(ended, /not known/), last).toBe(inFlight);
    expect(ended.usage, last).toMatchObject({ totalTokens: USAGE.total_tokens });
    expect(await pendingItems(app, asked.id)).toEqual([]);
  }
});

test('a run that waits for the client is over, and the model is not asked again', async () => {
  await using fleet = await startFleet();
  await using office = await startMcpServer({ tools: { one: {} } });
  const app = await fleet.start({ timing: QUICK });
  plays(fleet, calls([call('weather'), call('one')], 'Let me look.'), says('It rains.'));
  const tools = [{ function: { name: 'weather' } }, mcp('office', office)];
  const id = await queue(app, { tools });
  await endOf(app, id);
  let before = { calls: office.calls.length, rounds: fleet.upstream.exchanges.length };
  for await (const { log, last } of everyCut(app, id)) {
    const after = { calls: office.calls.length, rounds: fleet.upstream.exchanges.length };
    expect(after.calls - before.calls + starts(log), last).toBe(1);
    expect(after.rounds - before.rounds + starts(log), last).toBe(1);
    before = after;
    expect(await pendingItems(app, id), last).toMatchObject([{ name: 'weather', status: 'COMPLETED' }]);
  }
});
