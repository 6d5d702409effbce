import { expect, test } from 'vitest';
import { calls, says } from '../support/chat-server.ts';
import { ask, createResponse, ITEM_FIELDS } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { run, sentTo } from '../support/run.ts';
import { startSearchingApp } from '../support/searching-app.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { call, mcp, typesOf } from '../support/tools.ts';
import { namesShownTo, toldTo } from '../support/upstream-tools.ts';

const input = { text: 'Hi' };
const user = (text: string) => ({ message: { content: { text } } });

/** What a response was given itself, oldest first. */
async function inputOf(app: TestApp, id: string) {
  const query = `query ($id: ID!) { inputItems(responseId: $id, scope: OWN, order: ASC) { nodes { ...ItemFields } } } ${ITEM_FIELDS}`;
  return (await ask(app, query, { id })).inputItems.nodes;
}

test('calls, searches and listings given as input are shown as input, and sent as calls with their results', async () => {
  await using app = await startTestApp();
  const made = { serverLabel: 'office', name: 'find_user', arguments: '{"name":"Ada"}' };
  const sources = [{ url: 'https://a.example/', title: 'A' }, { url: 'https://b.example/' }];
  const tools = [{ name: 'find_user', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }];
  const items = [
    user('Who is she?'),
    { mcpListTools: { serverLabel: 'office', tools } },
    { mcpCall: { ...made, output: 'u7' } },
    { mcpCall: { ...made, arguments: '', error: 'No such user.' } },
    { mcpCall: made },
    { webSearchCall: { query: 'Ada', sources } },
    { webSearchCall: { query: 'Bob', sources: [{ url: 'https://c.example/', title: 'C' }] } },
    { webSearchCall: { query: 'Cid' } },
    user('Well?'),
  ];
  app.upstream.enqueue(says('See [3].'));
  const response = await run(app, { input: { items } });
  const shown = await inputOf(app, response.id);
  expect(shown).toMatchObject([
    { __typename: 'Message' },
    { __typename: 'McpListTools', serverLabel: 'office', status: 'COMPLETED', tools, error: null },
    {
      __typename: 'McpCall',
      ...made,
      status: 'COMPLETED',
      output: 'u7',
      content: [{ text: 'u7' }],
      error: null,
    },
    {
      ...made,
      arguments: '',
      status: 'FAILED',
      output: null,
      error: { type: 'EXECUTION', message: 'No such user.' },
    },
    { ...made, status: 'COMPLETED', output: null, content: [], error: null },
    {
      __typename: 'WebSearchCall',
      query: 'Ada',
      sources: [sources[0], { ...sources[1], title: null }],
      error: null,
    },
    { __typename: 'WebSearchCall', query: 'Bob', status: 'COMPLETED', sources: { length: 1 } },
    { __typename: 'WebSearchCall', query: 'Cid', status: 'COMPLETED', sources: [] },
    { __typename: 'Message' },
  ]);
  const prefixes = shown.map(({ id }: { readonly id: string }) => id.replace(/_.*/, ''));
  expect(prefixes).toEqual(['msg', 'mcpl', 'mcp', 'mcp', 'mcp', 'ws', 'ws', 'ws', 'msg']);
  expect(toldTo(app)).toEqual([
    'u7',
    'No such user.',
    'The tool gave no text.',
    '[1] A\nhttps://a.example/\n\n[2] Untitled\nhttps://b.example/',
    '[3] C\nhttps://c.example/',
    expect.stringContaining('found nothing'),
  ]);
  const { messages } = sentTo(app);
  expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', ...Array(6).fill('tool'), 'user']);
  const search = (query: string) => ({ name: 'web_search', arguments: JSON.stringify({ query }) });
  const called = (json: string) => ({ name: 'find_user', arguments: json });
  expect(messages[1]?.['tool_calls']).toMatchObject(
    [
      called(made.arguments),
      called('{}'),
      called(made.arguments),
      search('Ada'),
      search('Bob'),
      search('Cid'),
    ].map((each) => ({ type: 'function', function: each })),
  );
  expect(response.output[0].content[0].annotations).toMatchObject([
    { url: 'https://c.example/', title: 'C' },
  ]);
});

type Output = readonly { readonly __typename: string; readonly [field: string]: unknown }[];

/** The items of an output as a client gives them back. */
function givenBack(output: Output): readonly object[] {
  return output.map((item) => {
    const { serverLabel, name, arguments: json, output, error, tools, query, sources, callId, text } = item;
    switch (item.__typename) {
      case 'Message':
        return { message: { role: 'ASSISTANT', content: { text } } };
      case 'McpListTools':
        return { mcpListTools: { serverLabel, tools } };
      case 'McpCall': {
        const message = (error as { readonly message: string } | null)?.message;
        return { mcpCall: { serverLabel, name, arguments: json, output, error: message } };
      }
      case 'WebSearchCall':
        return { webSearchCall: { query, sources } };
      case 'FunctionCall':
        return { functionCall: { callId, name, arguments: json } };
      default:
        return { functionCallOutput: { callId, output: { text: output } } };
    }
  });
}

/** What was sent upstream, with the ids of its calls numbered. */
function conversation(app: TestApp): unknown {
  toldTo(app);
  const ids: string[] = [];
  const text = JSON.stringify(sentTo(app).messages, (key, value) => {
    if (key !== 'id' && key !== 'tool_call_id') return value;
    if (!ids.includes(value)) ids.push(value);
    return ids.indexOf(value);
  });
  return JSON.parse(text);
}

test('what came of a run that is not stored can be given back, and the model is told the same as of a stored one', async () => {
  await using app = await startSearchingApp();
  await using server = await startMcpServer({
    tools: {
      echo: { run: ({ text }) => `echo: ${text}` },
      fail: { run: () => ({ content: [{ type: 'text', text: 'Broken.' }], isError: true }) },
    },
  });
  const tools = [mcp('server', server), { webSearch: {} }];
  const script = () => [
    calls(
      [call('echo', { text: 'a' }), call('fail'), call('ghost'), { name: 'echo', arguments: '[' }],
      'First.',
    ),
    calls([call('echo', { text: 'b' })], 'Second.'),
    says('Done.'),
  ];
  const goOn = { ...input, text: 'Go on.' };
  app.upstream.enqueue(...script());
  const stored = await run(app, { input, tools });
  await run(app, { input: goOn, tools, previousResponseId: stored.id });
  const expected = conversation(app);

  app.upstream.enqueue(...script());
  const { output } = await createResponse(app, { input, tools, store: false });
  expect(typesOf(output)).toEqual(typesOf(stored.output));
  const items = [user('Hi'), ...givenBack(output), user('Go on.')];
  const next = await run(app, { input: { items }, tools });
  expect(conversation(app)).toEqual(expected);
  expect(namesShownTo(app)).toEqual(['echo', 'fail', 'web_search']);
  expect(typesOf(next.output)).toEqual(['Message']); // the listing holds
  expect(server.requests.filter(({ body }) => body?.['method'] === 'tools/list')).toHaveLength(2);
  expect(typesOf((await inputOf(app, next.id)).slice(1, -1))).toEqual(typesOf(output));
});
