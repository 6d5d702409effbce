import { expect, test } from 'vitest';
import { calls, chunk, says, streams } from '../support/chat-server.ts';
import { createResponse, readResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { pendingItems, run, sentTo } from '../support/run.ts';
import { startSearchingApp } from '../support/searching-app.ts';
import { collect } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';
import { call, mcp, typesOf } from '../support/tools.ts';
import { namesShownTo, toldTo } from '../support/upstream-tools.ts';

const input = { text: 'Hi' };
const weather = { function: { name: 'weather' } };
const ECHO = { echo: { run: ({ text }: { readonly [key: string]: unknown }) => `echo: ${text}` } };
const LIMIT = { status: 'FAILED', error: { type: 'LIMIT', code: null } };
const over = 'The call was not made: this response may make no more tool calls.';

test('maxToolCalls counts searches and MCP calls together; further ones fail, and only functions are still shown', async () => {
  await using app = await startSearchingApp();
  await using server = await startMcpServer({ tools: ECHO });
  const tools = [weather, mcp('server', server), { webSearch: {} }];
  const notMade = { name: 'echo', arguments: '[' }; // which does not count
  const made = [call('echo', { text: 'a' }), call('web_search', { query: 'b' })];
  app.upstream.enqueue(
    calls([notMade, ...made, call('echo', { text: 'c' })]),
    calls([call('web_search', { query: 'd' }), call('echo', { text: 'e' })]),
    says('Enough.'),
  );
  const response = await run(app, { input, tools, maxToolCalls: 2 });
  expect(response).toMatchObject({ status: 'COMPLETED', outputText: 'Enough.' });
  expect(response.output.slice(1)).toMatchObject([
    { __typename: 'McpCall', status: 'FAILED', error: { type: 'INVALID_ARGUMENTS' } },
    { __typename: 'McpCall', status: 'COMPLETED', output: 'echo: a' },
    { __typename: 'WebSearchCall', status: 'COMPLETED', query: 'b' },
    { __typename: 'McpCall', ...LIMIT },
    { __typename: 'WebSearchCall', ...LIMIT },
    { __typename: 'McpCall', ...LIMIT, arguments: '{"text":"e"}' },
    { __typename: 'Message' },
  ]);
  expect([server.calls.length, app.search.searches.length]).toEqual([1, 1]);
  const names = [0, 1, 2].map((index) => namesShownTo(app, index));
  expect(names).toEqual([['weather', 'echo', 'web_search'], ['weather'], ['weather']]);
  expect(toldTo(app).slice(3)).toEqual([over, over, over]);
});

test('where only MCP tools are offered, nothing is once maxToolCalls is reached', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: ECHO });
  app.upstream.enqueue(calls([call('echo')]));
  const toolChoice = { mode: 'REQUIRED' };
  await run(app, { input, tools: [mcp('server', server)], maxToolCalls: 1, toolChoice });
  expect(sentTo(app, 0)).toMatchObject({ tool_choice: 'required', tools: { length: 1 } });
  for (const key of ['tools', 'tool_choice']) expect(sentTo(app, 1)).not.toHaveProperty(key);
  expect(toldTo(app)).toHaveLength(1);
});

test('an approval is not asked for once maxToolCalls is reached', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: { remove: {}, ...ECHO } });
  const requireApproval = { filter: { never: { toolNames: ['echo'] } } };
  const request = { input, tools: [mcp('server', server, { requireApproval })], maxToolCalls: 1 };
  app.upstream.enqueue(calls([call('echo'), call('remove', { path: '/' })]), calls([call('remove')]));
  const response = await run(app, request);
  expect(response).toMatchObject({ status: 'COMPLETED', outputText: 'ok' });
  expect(response.output.slice(1, -1)).toMatchObject([
    { __typename: 'McpCall', status: 'COMPLETED' },
    { __typename: 'McpApprovalRequest', ...LIMIT, arguments: '{"path":"/"}' },
    { __typename: 'McpApprovalRequest', ...LIMIT },
  ]);
  expect(toldTo(app)).toEqual(['echo: undefined', over, over]);
  expect(await pendingItems(app, response.id)).toEqual([]);
});

test('MAX_ROUNDS ends a run after the calls of its last round', async () => {
  await using app = await startTestApp({ config: { maxRounds: 2 } });
  await using server = await startMcpServer({ tools: ECHO });
  const round = calls([call('echo', { text: 1 }), call('ghost'), call('echo', { text: 2 })]);
  app.upstream.enqueue(round, round);
  const first = await run(app, { input, tools: [mcp('server', server)] });
  expect(first).toMatchObject({ status: 'INCOMPLETE', incompleteDetails: { reason: 'MAX_ROUNDS' } });
  expect(first.usage).toMatchObject({ inputTokens: 20, outputTokens: 10, totalTokens: 30 });
  const ofRound = ['McpCall', 'FunctionCall', 'McpCall', 'FunctionCallOutput'];
  expect(typesOf(first.output)).toEqual(['McpListTools', ...ofRound, ...ofRound]);
  expect(first.output[7]).toMatchObject({ status: 'COMPLETED', output: 'echo: 2' });
  expect([server.calls.length, app.upstream.exchanges.length]).toEqual([4, 2]);
  await run(app, { input: { text: 'Go on.' }, previousResponseId: first.id });
  const ghost = expect.stringContaining('no tool "ghost"');
  expect(toldTo(app)).toEqual(['echo: 1', ghost, 'echo: 2', 'echo: 1', ghost, 'echo: 2']);
});

test('8 calls run at once and no more, and the model is told of them in call order, however they end', async () => {
  await using app = await startTestApp();
  const held = new Map<number, () => void>();
  let running = 0;
  let most = 0;
  const wait = async ({ number }: { readonly [key: string]: unknown }) => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => held.set(Number(number), resolve));
    running--;
    return `number ${number}`;
  };
  await using server = await startMcpServer({ tools: { wait: { run: wait } } });
  const numbers = Array.from({ length: 12 }, (_, number) => number);
  app.upstream.enqueue(calls(numbers.map((number) => call('wait', { number }, `call_${number}`))));
  const { id } = await createResponse(app, { input, tools: [mcp('server', server)], stream: true });
  const following = collect(app, { id });
  await server.called(8);
  // That a call has been started is committed before it is made: others would be seen here.
  const { output } = await readResponse(app, id);
  const statuses = output.slice(1).map(({ status }: { readonly status: string }) => status);
  expect(statuses).toEqual([...Array(8).fill('CALLING'), ...Array(4).fill('IN_PROGRESS')]);
  for (let arrived = 8; held.size > 0; arrived = Math.min(12, arrived + 1)) {
    await server.called(arrived);
    const last = Math.max(...held.keys());
    held.get(last)?.();
    held.delete(last);
  }
  const ended = (await following).flatMap(({ __typename, item }) =>
    __typename === 'OutputItemDoneEvent' && item.__typename === 'McpCall' ? [item.output] : [],
  );
  expect(most).toBe(8);
  expect(ended.slice(0, 4)).toEqual([7, 8, 9, 10].map((number) => `number ${number}`));
  expect(toldTo(app)).toEqual(numbers.map((number) => `number ${number}`));
});

test('parallelToolCalls: false makes the first call of each round and drops the others, also of another kind', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: ECHO });
  const second = [call('echo', { text: 'c' }), call('weather'), call('echo', { text: 'd' })];
  app.upstream.enqueue(calls([call('echo', { text: 'a' }), call('echo', { text: 'b' })]), calls(second));
  const tools = [weather, mcp('server', server)];
  const { output } = await run(app, { input, tools, parallelToolCalls: false });
  expect(output.slice(1)).toMatchObject([{ output: 'echo: a' }, { output: 'echo: c' }, { text: 'ok' }]);
  expect(server.calls).toHaveLength(2);
  expect(toldTo(app)).toEqual(['echo: a', 'echo: c']);
  expect([0, 1, 2].map((index) => sentTo(app, index)['parallel_tool_calls'])).toEqual([false, false, false]);
});

test('maxOutputTokens is a budget over all rounds, whose calls are made; when it is spent no request follows', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: ECHO });
  app.upstream.enqueue(...Array(5).fill(calls([call('echo')]))); // 5 tokens each
  const request = { input, tools: [mcp('server', server)], maxOutputTokens: 16 };
  const response = await run(app, request);
  expect(response).toMatchObject({
    status: 'INCOMPLETE',
    incompleteDetails: { reason: 'MAX_OUTPUT_TOKENS' },
    usage: { outputTokens: 20, totalTokens: 60 },
  });
  expect(app.upstream.exchanges.map(({ body }) => body['max_tokens'])).toEqual([16, 11, 6, 1]);
  expect(toldTo(app)).toHaveLength(3); // and of the fourth nobody is told any more
  expect(server.calls).toHaveLength(4);
  expect(response.output.at(-1)).toMatchObject({ status: 'COMPLETED' });
});

test('an upstream that reports no usage is given the whole budget in every round', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: ECHO });
  const open = { index: 0, id: 'a', type: 'function', function: { name: 'echo', arguments: '{}' } };
  const done = streams(chunk({ content: 'ok' }), chunk({}, 'stop'));
  app.upstream.enqueue(streams(chunk({ tool_calls: [open] }), chunk({}, 'tool_calls')), done);
  const request = { input, tools: [mcp('server', server)], maxOutputTokens: 16 };
  expect(await run(app, request)).toMatchObject({ status: 'COMPLETED', usage: null });
  expect(app.upstream.exchanges.map(({ body }) => body['max_tokens'])).toEqual([16, 16]);
});

test.each([
  ['length', 'MAX_OUTPUT_TOKENS', 'Let me see.'],
  ['content_filter', 'CONTENT_FILTER', ''],
])(
  'finish reason %s in the middle of a call: nothing is called, nor sent in a continuation',
  async (finish, reason, text) => {
    await using app = await startSearchingApp();
    await using server = await startMcpServer({ tools: ECHO });
    await using disk = await startMcpServer({ tools: { remove: {} } });
    const asking = mcp('disk', disk, { requireApproval: { mode: 'ALWAYS' } });
    const tools = [weather, mcp('server', server), asking, { webSearch: {} }];
    const names = ['weather', 'echo', 'remove', 'web_search', 'ghost', 'echo'];
    const open = names.map((name, index) => {
      const json = index < 5 ? '{"query":"a"}' : '{"query":'; // the last one is cut
      return { index, id: `call_${index}`, type: 'function', function: { name, arguments: json } };
    });
    const words = text === '' ? [] : [chunk({ content: text })];
    const opened = open.map((each) => chunk({ tool_calls: [each] }));
    app.upstream.enqueue(streams(...words, ...opened, chunk({}, finish)));
    const first = await run(app, { input, tools });
    expect(first).toMatchObject({ status: 'INCOMPLETE', incompleteDetails: { reason }, outputText: text });
    const items = first.output.slice(2 + words.length);
    const types = [
      'FunctionCall',
      'McpCall',
      'McpApprovalRequest',
      'WebSearchCall',
      'FunctionCall',
      'McpCall',
    ];
    expect(typesOf(items)).toEqual(types);
    for (const item of items) expect(item).toMatchObject({ status: 'INCOMPLETE', error: null });
    expect(items[5].arguments).toBe('{"query":');
    expect([server.calls, disk.calls, app.search.searches]).toEqual([[], [], []]);
    expect(await pendingItems(app, first.id)).toEqual([]);

    await run(app, { input: { text: 'Go on.' }, tools, previousResponseId: first.id });
    expect(sentTo(app).messages).toEqual([
      { role: 'user', content: 'Hi' },
      ...(text === '' ? [] : [{ role: 'assistant', content: text }]),
      { role: 'user', content: 'Go on.' },
    ]);
  },
);
