import { expect, test } from 'vitest';
import { startBehindProxy } from '../support/behind-proxy.ts';
import { calls, hangsAfter, json, says } from '../support/chat-server.ts';
import { ask, create, createResponse, send } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { startSearchServer } from '../support/search-server.ts';
import { collect } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { call, mcp } from '../support/tools.ts';

// Each of these holds back the statement that commits the beginning of a response.

const countOf = async (app: TestApp) => (await ask(app, '{ responses { totalCount } }')).responses.totalCount;

test('the model is asked while the response is being committed; till then nobody hears of either', async () => {
  await using beside = await startTestApp();
  await using first = await startBehindProxy({ beside });
  beside.upstream.enqueue(says('One ', 'two ', 'three.'));
  const held = first.proxy.holdBack('Ask ahead');
  const answer = createResponse(first.app, { input: { text: 'Ask ahead' } });
  const release = await held;
  await (await beside.upstream.received(1)).closed; // it has said everything
  expect(await countOf(beside)).toBe(0);
  release();
  const { id, ...response } = await answer;
  expect(response).toMatchObject({ status: 'COMPLETED', outputText: 'One two three.' });
  const events = await collect(beside, { id });
  expect(events.map(({ __typename }) => __typename)).toContain('OutputTextDeltaEvent');
  expect(beside.upstream.exchanges).toHaveLength(1);
});

const called = [
  { id: 'call_1', type: 'function', function: { name: 'web_search', arguments: '{"query":"owls"}' } },
];

test.each([
  ['streamed', calls([call('web_search', { query: 'owls' })])],
  ['whole', json(200, { choices: [{ message: { tool_calls: called }, finish_reason: 'tool_calls' }] })],
])('a tool runs only once the response is committed, and what calls it (%s)', async (_, calling) => {
  await using search = await startSearchServer();
  await using beside = await startTestApp();
  const webSearch = { provider: 'searxng', baseUrl: search.baseUrl } as const;
  await using first = await startBehindProxy({ beside, config: { webSearch } });
  beside.upstream.enqueue(calling, says('Found.'));
  const held = first.proxy.holdBack('Search for owls');
  const input = { input: { text: 'Search for owls' }, tools: [{ webSearch: {} }] };
  const answer = createResponse(first.app, input);
  const release = await held;
  await (await beside.upstream.received(1)).closed;
  expect(await countOf(first.app)).toBe(0);
  expect(search.searches).toHaveLength(0);
  release();
  expect(await answer).toMatchObject({ status: 'COMPLETED', outputText: 'Found.' });
  expect(search.searches).toHaveLength(1);
});

test('a response that is not committed after all leaves its model at once', async () => {
  await using beside = await startTestApp();
  await using first = await startBehindProxy({ beside });
  beside.upstream.enqueue(hangsAfter('Never told'));
  const held = first.proxy.holdBack('Too late');
  const answer = send(
    first.app,
    `mutation { createResponse(input: { input: { text: "Too late" } }) { response { id } } }`,
  );
  const release = await held;
  const { closed } = await beside.upstream.received(1);
  await beside.database.sql`update processes set ended_at = now()`;
  release();
  expect((await answer).errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
  await closed;
  expect(await countOf(beside)).toBe(0);
});

test('nothing is asked ahead of a commit that somebody else may forestall, or for MCP servers', async () => {
  await using server = await startMcpServer({ tools: { pay: {} } });
  await using beside = await startTestApp();
  await using first = await startBehindProxy({ beside });
  const root = await createResponse(beside, { input: { text: 'Root' } });
  for (const [words, more] of [
    ['With a key', { idempotencyKey: 'one' }],
    ['Going on', { previousResponseId: root.id }],
    ['With a server', { tools: [mcp('bank', server)] }],
    ['In the background', { background: true }],
  ] as const) {
    const asked = () => [words, beside.upstream.exchanges.length, server.requests.length];
    const before = asked();
    const held = first.proxy.holdBack(words);
    const answer = create(first.app, { input: { text: words }, ...more });
    const release = await held;
    expect(await countOf(first.app)).toBeGreaterThan(0); // time enough to ask
    expect(asked()).toEqual(before);
    release();
    expect((await answer).errors).toEqual([]);
  }
});
