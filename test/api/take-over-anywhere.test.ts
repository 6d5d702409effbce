import { expect, test } from 'vitest';
import { endOf, queue } from '../support/background.ts';
import { type Answer, calls, says, USAGE } from '../support/chat-server.ts';
import { leaveAfter, readLog } from '../support/cut-log.ts';
import { startFleet } from '../support/fleet.ts';
import { readResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { pendingItems } from '../support/run.ts';
import { startSearchServer } from '../support/search-server.ts';
import { collect } from '../support/stream.ts';
import { answer, call, mcp, mcpAsking } from '../support/tools.ts';
import { toldTo } from '../support/upstream-tools.ts';

const QUICK = { leaseMs: 10_000, renewMs: 1000, sweepMs: 20 };
const AFTER = 'The last event that was committed';

/** Says what the model says next, going by how often it has spoken since the last user message. */
const script =
  (...rounds: readonly Answer[]): Answer =>
  (exchange) => {
    const { messages } = exchange.body;
    const since = messages.slice(messages.findLastIndex(({ role }) => role === 'user'));
    const round = since.filter(({ role }) => role === 'assistant').length;
    return (rounds[round] ?? says('Too much.'))(exchange);
  };

test('wherever a process dies, another one completes its run, and no tool is called twice', async () => {
  await using fleet = await startFleet();
  await using search = await startSearchServer();
  await using office = await startMcpServer({ tools: { one: {}, two: {}, three: {} } });
  const webSearch = { provider: 'searxng', baseUrl: search.baseUrl } as const;
  const app = await fleet.start({ config: { webSearch }, timing: { lease: QUICK } });
  const chain = script(
    calls([call('one'), call('web_search', { query: 'Rome' }), call('two')], 'Let me look.'),
    calls([call('three'), { name: 'two', arguments: '[' }], 'And again.'),
    says('All ', 'done.'),
  );
  fleet.upstream.enqueue(...Array.from({ length: 500 }, () => chain));
  const tools = [mcp('office', office), { webSearch: {} }];
  const id = await queue(app, { tools, maxToolCalls: 4 });
  const whole = await endOf(app, id);
  expect(whole).toMatchObject({ status: 'COMPLETED', outputText: 'Let me look.And again.All done.' });
  const log = await readLog(fleet.database, id);

  for (let length = 3; length < log.length; length++) {
    const before = { calls: office.calls.length, searches: search.searches.length };
    const cut = log.slice(0, length);
    await leaveAfter(fleet.database, id, cut);
    const ended = await endOf(app, id);
    const where = `${AFTER}: ${JSON.stringify(cut.at(-1))}`;
    const events = await collect(app, { id }); // checked against the rules of streams
    expect(events.map(({ sequenceNumber }) => sequenceNumber)).toEqual(events.map((_, index) => index));
    expect(events.filter(({ __typename }) => __typename === 'ResponseSnapshotEvent')).toHaveLength(1);
    expect(events[length]?.__typename, where).toBe('ResponseSnapshotEvent');
    expect(events.at(-1)?.['response']).toEqual(ended);
    expect(ended, where).toMatchObject({
      status: 'COMPLETED',
      outputText: 'Let me look.And again.All done.',
      usage: { totalTokens: 3 * USAGE.total_tokens, inputTokens: 3 * USAGE.prompt_tokens },
    });
    toldTo(app); // each call has its answer

    const started = cut.filter(({ starts }) => starts === true).length;
    const searched = cut.some(({ type }) => type === 'response.web_search_call.searching') ? 1 : 0;
    const made = office.calls.slice(before.calls).map(({ name }) => name);
    expect(new Set(made).size, where).toBe(made.length);
    expect(search.searches.length - before.searches + searched, where).toBeLessThanOrEqual(1);
    const interrupted = ended.output.filter((item: { error?: { type: string } }) => item.error?.type === 'INTERRUPTED');
    const notMade = interrupted.filter((item: { error: { message: string } }) => /was not made/.test(item.error.message));
    const total = made.length + started + (search.searches.length - before.searches) + searched;
    expect(total + notMade.length, where).toBe(4);
  }
}, 60_000);
