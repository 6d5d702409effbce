import { expect, test } from 'vitest';
import { calls, says, USAGE } from '../support/chat-server.ts';
import { createResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import type { ScriptedTools } from '../support/mcp-tools.ts';
import { outputFor, pendingItems, run, sentTo } from '../support/run.ts';
import { PAGES, startSearchServer } from '../support/search-server.ts';
import { collect } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { call, mcp, typesOf } from '../support/tools.ts';

/** Each tool needs what another one gave. */
const OFFICE: ScriptedTools = {
  find_user: { run: ({ name }) => `id of ${name}: u7` },
  list_permissions: { run: ({ userId }) => `${userId} may: read, share` },
  list_groups: { run: ({ userId }) => `${userId} is in: staff` },
  open_file: { run: ({ userId, path }) => `${userId} opened ${path}` },
  log_access: { run: ({ path }) => `logged ${path}` },
};

function enqueueChain(app: TestApp): void {
  app.upstream.enqueue(
    calls([call('find_user', { name: 'Ada' })], 'Who is she?'),
    calls([call('list_permissions', { userId: 'u7' }), call('list_groups', { userId: 'u7' })]),
    calls([call('open_file', { userId: 'u7', path: '/a' }), call('log_access', { path: '/a' })]),
    says('Ada ', 'has ', 'read /a.'),
  );
}

/** What a response says but for its ids and times. */
function withoutIds(response: { readonly output: readonly object[] }): unknown {
  const text = JSON.stringify(response, (key, value) =>
    ['id', 'createdAt', 'completedAt', 'streamCursor'].includes(key) ? undefined : value,
  );
  return JSON.parse(text);
}

test('a chain over five tools takes its rounds, streamed or not, and lists once, in the first response only', async () => {
  await using app = await startTestApp();
  await using office = await startMcpServer({ tools: OFFICE });
  const request = { input: { text: 'May Ada read /a?' }, tools: [mcp('office', office)] };
  enqueueChain(app);
  const whole = await run(app, request);
  expect(typesOf(whole.output)).toEqual(['McpListTools', 'Message', ...Array(5).fill('McpCall'), 'Message']);
  expect(whole).toMatchObject({
    status: 'COMPLETED',
    outputText: 'Who is she?Ada has read /a.',
    usage: { inputTokens: 4 * USAGE.prompt_tokens, totalTokens: 4 * USAGE.total_tokens },
  });
  expect(whole.output.slice(2, -1)).toMatchObject([
    { name: 'find_user', output: 'id of Ada: u7', status: 'COMPLETED' },
    { name: 'list_permissions', output: 'u7 may: read, share' },
    { name: 'list_groups', output: 'u7 is in: staff' },
    { name: 'open_file', output: 'u7 opened /a', arguments: '{"userId":"u7","path":"/a"}' },
    { name: 'log_access', output: 'logged /a' },
  ]);

  enqueueChain(app);
  const { id } = await createResponse(app, { ...request, stream: true });
  const streamed = (await collect(app, { id })).at(-1)?.['response'];
  expect(withoutIds(streamed)).toEqual(withoutIds(whole));
  expect(app.upstream.exchanges).toHaveLength(8);
  const asked = [0, 4].map((first) => [0, 1, 2, 3].map((round) => sentTo(app, first + round).messages));
  expect(asked[1]).toEqual(asked[0]);
  expect(asked[0]?.[3]?.map(({ role }) => role)).toEqual([
    'user',
    ...['assistant', 'tool'],
    ...['assistant', 'tool', 'tool'],
    ...['assistant', 'tool', 'tool'],
  ]);

  enqueueChain(app);
  const next = await run(app, { ...request, previousResponseId: whole.id });
  expect(typesOf(next.output)).toEqual(['Message', ...Array(5).fill('McpCall'), 'Message']);
  expect(office.requests.filter(({ body }) => body?.['method'] === 'tools/list')).toHaveLength(2);
  expect(office.sessions.opened).toHaveLength(3);
  const opened = [...office.sessions.opened].sort();
  await expect.poll(() => [...office.sessions.closed].sort()).toEqual(opened);
});

test('a round with text, a function, an MCP call and a search loses none of them, and waits for the function', async () => {
  await using search = await startSearchServer();
  const webSearch = { provider: 'searxng', baseUrl: search.baseUrl } as const;
  await using app = await startTestApp({ config: { webSearch } });
  await using office = await startMcpServer({ tools: OFFICE });
  const tools = [{ function: { name: 'weather' } }, mcp('office', office), { webSearch: {} }];
  const round = [
    call('weather', { city: 'Rome' }),
    call('find_user', { name: 'Ada' }),
    call('web_search', { query: 'Rome' }),
  ];
  app.upstream.enqueue(calls(round, 'Let me look.'));
  const first = await run(app, { input: { text: 'Hi' }, tools });
  expect(first).toMatchObject({ status: 'COMPLETED', outputText: 'Let me look.' });
  expect(first.output).toMatchObject([
    { __typename: 'McpListTools', serverLabel: 'office' },
    { __typename: 'Message', text: 'Let me look.' },
    { __typename: 'FunctionCall', name: 'weather', status: 'COMPLETED' },
    { __typename: 'McpCall', output: 'id of Ada: u7', status: 'COMPLETED' },
    { __typename: 'WebSearchCall', query: 'Rome', status: 'COMPLETED', sources: { length: 5 } },
  ]);
  expect(app.upstream.exchanges).toHaveLength(1);
  expect(await pendingItems(app, first.id)).toMatchObject([{ name: 'weather' }]);

  app.upstream.enqueue(says('It is sunny [1], says ', `${PAGES[1]?.url}.`));
  const items = [outputFor('call_weather_0', 'sunny')];
  const second = await run(app, { previousResponseId: first.id, input: { items }, tools });
  expect(typesOf(second.output)).toEqual(['Message']);
  const [, said, ...answers] = sentTo(app).messages;
  expect(said).toMatchObject({ role: 'assistant', content: 'Let me look.', tool_calls: { length: 3 } });
  const ids = ['call_weather_0', 'call_find_user_1', 'call_web_search_2'];
  expect(answers.map(({ role, tool_call_id }) => [role, tool_call_id])).toEqual(
    ids.map((id) => ['tool', id]),
  );
  expect(answers.map(({ content }) => content)).toEqual([
    'sunny',
    'id of Ada: u7',
    expect.stringContaining(`[1] Page 1\n${PAGES[0]?.url}`),
  ]);
  const { text, annotations } = second.output[0].content[0];
  expect(annotations).toMatchObject([{ url: PAGES[0]?.url }, { url: PAGES[1]?.url, title: 'Page 2' }]);
  expect(
    annotations.map((each: { startIndex: number; endIndex: number }) =>
      text.slice(each.startIndex, each.endIndex),
    ),
  ).toEqual(['[1]', PAGES[1]?.url]);
});
