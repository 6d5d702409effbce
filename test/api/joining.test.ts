import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { holdCommit } from '../regressions/hold-commit.ts';
import { chunk, type Exchange, feed, sse, USAGE, write } from '../support/chat-server.ts';
import { checkEventRules } from '../support/event-rules.ts';
import { CREATE, createResponse, readResponse, send } from '../support/graphql.ts';
import { collect, type StreamEvent, textOf } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { seemingLoad, watchRuns } from '../support/watch-runs.ts';

let adaptive: TestApp;
let off: TestApp;

beforeAll(async () => {
  adaptive = await startTestApp();
  off = await startTestApp({ config: { joinsDeltas: false } });
});

afterAll(async () => {
  for (const app of [adaptive, off]) await app[Symbol.asyncDispose]();
});

async function started(app: TestApp, more: object = {}) {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true, ...more });
  return { id: id as string, upstream };
}

const words = (count: number, kind = 'w') => Array.from({ length: count }, (_, word) => `${kind}${word} `);
const textChunks = (texts: readonly string[]) => texts.map((content) => chunk({ content }));
const deltasOf = (events: readonly StreamEvent[]) => events.flatMap((event) => event['delta'] ?? []);

/** Says all of these at once, and ends. */
async function burst(upstream: ReturnType<typeof feed>, texts: readonly string[]): Promise<void> {
  await write(await upstream.open, sse(...textChunks(texts)));
  await upstream.end();
}

test.each(['high', 'low'] as const)(
  'off, under %s load: every delta of the upstream is an event, whatever comes at once',
  async (load) => {
    using _ = seemingLoad(load);
    const { id, upstream } = await started(off);
    const live = collect(off, { id });
    await burst(upstream, words(500));
    expect(deltasOf(await live)).toEqual(words(500));
    expect(deltasOf(await collect(off, { id }))).toEqual(words(500));
  },
);

test('adaptive, without load: of up to 32 deltas that come at once each is an event', async () => {
  using _ = seemingLoad('low');
  const { id, upstream } = await started(adaptive);
  await burst(upstream, words(29)); // before them comes what opens the message
  expect(deltasOf(await collect(adaptive, { id }))).toEqual(words(29));
});

test('adaptive: what more comes at once is joined to the last of them, and nothing of it is lost', async () => {
  using _ = seemingLoad('low');
  const { id, upstream } = await started(adaptive);
  const live = collect(adaptive, { id });
  await burst(upstream, words(500));
  const deltas = deltasOf(await live);
  expect(deltas.length).toBeLessThan(200); // about 32 for each read
  expect(deltas.join('')).toBe(words(500).join(''));
  expect(await collect(adaptive, { id })).toEqual(await live);
});

test('under load what comes at once is joined, each kind and call for itself', async () => {
  using _ = seemingLoad('high');
  const call = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] });
  const open = (index: number) =>
    call(index, { id: `c${index}`, type: 'function', function: { name: 'look', arguments: '' } });
  const say = (index: number, json: string) => call(index, { function: { arguments: json } });
  const { id, upstream } = await started(adaptive, { tools: [{ function: { name: 'look' } }] });
  const exchange = await upstream.open;
  const thoughts = words(20, 't').map((reasoning_content) => chunk({ reasoning_content }));
  const [one, two] = ['{"a": "one"}', '{"b": "two"}'];
  const args = [...one].flatMap((letter, at) => [say(0, letter), say(0, ''), say(1, two[at] ?? '')]);
  await write(exchange, sse(...thoughts, ...textChunks(words(20)), open(0), open(1), ...args));
  await upstream.end('tool_calls');
  const events = await collect(adaptive, { id });
  expect(events.at(-1)?.['response'].output).toMatchObject([
    { __typename: 'Reasoning', content: [{ text: words(20, 't').join('') }] },
    { __typename: 'Message', text: words(20).join('') },
    { __typename: 'FunctionCall', arguments: one, status: 'COMPLETED' },
    { __typename: 'FunctionCall', arguments: two, status: 'COMPLETED' },
  ]);
  const kinds = Map.groupBy(events, ({ __typename }) => __typename);
  expect(kinds.get('ReasoningTextDeltaEvent')?.length).toBe(1);
  expect(kinds.get('OutputTextDeltaEvent')?.length).toBe(1);
});

test('tokens with their probabilities are joined with them', async () => {
  using _ = seemingLoad('high');
  const { id, upstream } = await started(adaptive, { topLogprobs: 1 });
  const chunks = words(30).map((content) => {
    const logprobs = { content: [{ token: content, logprob: -1, bytes: null, top_logprobs: [] }] };
    return chunk({}, null, { choices: [{ index: 0, delta: { content }, logprobs, finish_reason: null }] });
  });
  await write(await upstream.open, sse(...chunks));
  await upstream.end();
  const events = await collect(adaptive, { id });
  expect(deltasOf(events).length).toBeLessThan(30);
  const tokens = events.flatMap((event) => event['logprobs'] ?? []).map(({ token }) => token);
  expect(tokens).toEqual(words(30));
});

/** Two runs whose first word is being committed, and stays so until the test lets it go. */
async function heldRuns(app: TestApp) {
  await using stack = new AsyncDisposableStack();
  const held = stack.use(await holdCommit(app.database, 'held'));
  const runs = stack.use(watchRuns());
  const both = [await started(app), await started(app)] as const;
  const live = both.map(({ id }) => collect(app, { id }));
  for (const { id, upstream } of both) {
    await upstream.say('held ');
    await runs.heard(id, 'held ');
  }
  await held.reached();
  const rest = stack.move();
  return { held, runs, both, live, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

test.each(['high', 'low'] as const)(
  'deltas that come while a commit is under way are joined (%s load), in order and without a gap',
  async (load) => {
    using _ = seemingLoad(load);
    await using app = await startTestApp();
    await using setting = await heldRuns(app);
    const { both, runs, held, live } = setting;
    const expected = both.map((_each, run) => `held ${words(200, `${run}:`).join('')}`);
    for (let word = 0; word < 200; word++)
      for (const [run, { upstream }] of both.entries()) await upstream.say(`${run}:${word} `);
    for (const [run, { id }] of both.entries()) await runs.heard(id, expected[run] ?? '');
    await held.letGo();
    for (const { upstream } of both) await upstream.end();
    for (const [run, events] of (await Promise.all(live)).entries()) {
      expect(textOf(events)).toBe(expected[run]);
      // Without load as many as nobody can tell apart come as they are.
      expect(deltasOf(events).length).toBeLessThan(load === 'high' ? 10 : 45);
      const { id } = both[run] ?? { id: '' };
      expect(await collect(app, { id })).toEqual(events);
    }
  },
);

test('a delta that is held is told when the commit is done, though the model is silent from then on', async () => {
  using _ = seemingLoad('high');
  await using app = await startTestApp();
  await using setting = await heldRuns(app);
  const { both, runs, held } = setting;
  for (const { id, upstream } of both) {
    await upstream.say(...words(50));
    await runs.heard(id, `held ${words(50).join('')}`);
  }
  await held.letGo();
  for (const { id } of both)
    await vi.waitUntil(async () => (await readResponse(app, id)).outputText.endsWith('w49 '), {
      timeout: 5000,
      interval: 5,
    });
  for (const { upstream } of both) await upstream.end();
  for (const events of await Promise.all(setting.live))
    expect(textOf(events)).toBe(`held ${words(50).join('')}`);
});

const ENDS: readonly [status: string, end: (exchange: Exchange, leave: () => void) => unknown][] = [
  ['COMPLETED', ({ answer }) => answer.end(sse(chunk({}, 'stop')))],
  ['INCOMPLETE', ({ answer }) => answer.end(sse(chunk({}, 'length')))],
  ['FAILED', ({ answer }) => answer.destroy()],
  ['CANCELLED', (_, leave) => leave()],
];

test.each(ENDS)('a run that ends as %s while it holds a delta keeps its text', async (status, end) => {
  using _ = seemingLoad('high');
  await using app = await startTestApp();
  await using held = await holdCommit(app.database, 'held');
  using runs = watchRuns();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const caller = new AbortController();
  const answer = send(app, CREATE, { input: { input: { text: 'Hi' } } }, caller.signal).catch(() => null);
  await upstream.say('held ');
  await held.reached();
  const [row] = await app.database.sql`select id from responses`;
  const id: string = row?.['id'];
  await upstream.say(...words(50));
  const text = `held ${words(50).join('')}`;
  await runs.heard(id, text);
  const exchange = await upstream.open;
  end(exchange, () => caller.abort());
  await exchange.closed;
  await held.letGo();
  await answer;
  const events = await collect(app, { id });
  expect(events.at(-1)?.['response']).toMatchObject({
    status,
    output: [{ status: status === 'COMPLETED' ? 'COMPLETED' : 'INCOMPLETE', text }],
  });
  expect(deltasOf(events).length).toBeLessThan(5);
});

test('usage and more rounds come after what was held', async () => {
  using _ = seemingLoad('high');
  const { id, upstream } = await started(adaptive);
  const exchange = await upstream.open;
  await write(exchange, sse(...textChunks(words(40))));
  await write(exchange, sse(...textChunks(words(40, 'x')), chunk({}, 'stop'), { choices: [], usage: USAGE }));
  exchange.answer.end();
  const events = await collect(adaptive, { id });
  checkEventRules(events);
  expect(textOf(events)).toBe([...words(40), ...words(40, 'x')].join(''));
  expect(events.at(-1)?.['response'].usage.totalTokens).toBe(15);
});
