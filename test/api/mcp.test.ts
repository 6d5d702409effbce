import { expect, test } from 'vitest';
import { calls, says } from '../support/chat-server.ts';
import { ask } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { run, sentTo } from '../support/run.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { call, mcp, typesOf } from '../support/tools.ts';

const input = { text: 'Hi' };
const ECHO = { echo: { run: ({ text }: { readonly [key: string]: unknown }) => `echo: ${text}` } };

/** The tools that the model was shown in its request number `index`. */
function shownTo(app: TestApp, index = -1) {
  const tools = (sentTo(app, index)['tools'] ?? []) as { function: { name: string; parameters: unknown } }[];
  return tools.map((tool) => tool.function);
}

const namesShownTo = (app: TestApp, index = -1) => shownTo(app, index).map(({ name }) => name);

test('two servers and a function with one name stay apart, and items show the name that the server uses', async () => {
  await using app = await startTestApp();
  await using one = await startMcpServer({ tools: { search: { run: () => 'of one' } } });
  await using two = await startMcpServer({ tools: { search: { run: () => 'of two' }, 'say: héllo!': {} } });
  const tools = [{ function: { name: 'search' } }, mcp('one', one), mcp('two', two)];
  await run(app, { input, tools });
  const names = namesShownTo(app);
  expect(names[0]).toBe('search');
  expect(new Set(names).size).toBe(4);
  expect(names[1]).toContain('one');
  for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);

  app.upstream.enqueue(calls(names.slice(1).map((name) => call(name))), says('ok'));
  const response = await run(app, { input, tools });
  expect(response.output.slice(2)).toMatchObject([
    { __typename: 'McpCall', serverLabel: 'one', name: 'search', output: 'of one' },
    { __typename: 'McpCall', serverLabel: 'two', name: 'search', output: 'of two' },
    { __typename: 'McpCall', serverLabel: 'two', name: 'say: héllo!', output: 'ok' },
    { __typename: 'Message' },
  ]);
  expect(two.calls.map(({ name }) => name)).toEqual(['search', 'say: héllo!']);
  const said = sentTo(app).messages.find(({ role }) => role === 'assistant');
  expect(said?.['tool_calls']).toMatchObject(names.slice(1).map((name) => ({ function: { name } })));
});

test('a listing that fails shows, and the run goes on with what is left', async () => {
  await using app = await startTestApp();
  await using good = await startMcpServer({ tools: ECHO });
  await using guarded = await startMcpServer({ tools: ECHO, token: 'right-token' });
  const dead = await startMcpServer();
  dead.kill();
  const tools = [
    mcp('dead', dead),
    mcp('guarded', guarded, { authorization: 'wrong-token' }),
    mcp('good', good),
  ];
  app.upstream.enqueue(calls([call('echo', { text: 'x' })]), says('ok'));
  const response = await run(app, { input, tools });
  expect(response.status).toBe('COMPLETED');
  expect(response.output).toMatchObject([
    { serverLabel: 'dead', status: 'FAILED', tools: [], error: { type: 'HTTP', code: null } },
    { serverLabel: 'guarded', status: 'FAILED', tools: [], error: { type: 'HTTP', code: 401 } },
    { serverLabel: 'good', status: 'COMPLETED', tools: [{ name: 'echo' }], error: null },
    { __typename: 'McpCall', output: 'echo: x' },
    { __typename: 'Message' },
  ]);
  expect(JSON.stringify(response)).not.toContain('wrong-token');
  // A continuation asks those that failed again, and only those.
  const next = await run(app, { input, tools, previousResponseId: response.id });
  expect(next.output).toMatchObject([{ serverLabel: 'dead' }, { serverLabel: 'guarded' }, { text: 'ok' }]);
});

test.each([
  ['the server', 'FAILED', { mcp: { serverLabel: 'dead' } }],
  ['one of its tools', 'FAILED', { mcp: { serverLabel: 'dead', name: 'echo' } }],
  ['a tool that another server does not list', 'FAILED', { mcp: { serverLabel: 'good', name: 'nope' } }],
  [
    'only its tools',
    'FAILED',
    { allowedTools: { mode: 'REQUIRED', tools: [{ mcp: { serverLabel: 'dead' } }] } },
  ],
  ['any tool', 'COMPLETED', { mode: 'REQUIRED' }],
  ['nothing', 'COMPLETED', { mode: 'AUTO' }],
])('without a listing, a run whose toolChoice demands %s is %s', async (_, status, toolChoice) => {
  await using app = await startTestApp();
  await using good = await startMcpServer({ tools: ECHO });
  const dead = await startMcpServer();
  dead.kill();
  const response = await run(app, { input, toolChoice, tools: [mcp('dead', dead), mcp('good', good)] });
  expect(response.status).toBe(status);
  expect(app.upstream.exchanges).toHaveLength(status === 'COMPLETED' ? 1 : 0);
  if (status === 'FAILED') expect(response.error.code).toBe('server_error');
});

test('a forced MCP tool is forced in the first round only', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: { ...ECHO, other: {} } });
  await using more = await startMcpServer({ tools: { third: {} } });
  const tools = [mcp('server', server), mcp('more', more)];
  const forced = async (toolChoice: object) => {
    app.upstream.enqueue(calls([call('echo', { text: 1 })]), says('ok'));
    const { id } = await run(app, { input, tools, toolChoice });
    expect(sentTo(app)['tool_choice']).toBe('auto');
    expect(namesShownTo(app)).toEqual(['echo', 'other', 'third']);
    const query = `query ($id: ID!) { response(id: $id) { toolChoice { mode name serverLabel } } }`;
    return (await ask(app, query, { id })).response.toolChoice;
  };
  expect(await forced({ mcp: { serverLabel: 'server', name: 'echo' } })).toEqual({
    mode: 'MCP',
    name: 'echo',
    serverLabel: 'server',
  });
  expect(sentTo(app, 0)['tool_choice']).toEqual({ type: 'function', function: { name: 'echo' } });
  expect(await forced({ mcp: { serverLabel: 'server' } })).toMatchObject({ mode: 'MCP', name: null });
  expect(sentTo(app, 2)['tool_choice']).toBe('required');
  expect(namesShownTo(app, 2)).toEqual(['echo', 'other']);
});

test.each([
  ['an empty list of names', { toolNames: [] }],
  ['read-only tools, of which there are none', { readOnly: true }],
  ['a name that is excluded too', { toolNames: ['echo'], excludedToolNames: ['echo'] }],
])(
  'allowedTools with %s shows and calls nothing, even if the model remembers a name',
  async (_, allowedTools) => {
    await using app = await startTestApp();
    await using server = await startMcpServer({ tools: ECHO });
    app.upstream.enqueue(calls([call('echo')]), says('ok'));
    const first = await run(app, { input, tools: [mcp('server', server)] });
    expect(first.output[1]).toMatchObject({ __typename: 'McpCall', status: 'COMPLETED' });

    app.upstream.enqueue(calls([call('echo')]), says('ok'));
    const tools = [mcp('server', server, { allowedTools })];
    const second = await run(app, { input, tools, previousResponseId: first.id });
    expect(second.output).toMatchObject([
      { __typename: 'McpListTools', status: 'COMPLETED', tools: [] },
      { __typename: 'FunctionCall', status: 'FAILED', error: { type: 'UNKNOWN_TOOL' } },
      { __typename: 'FunctionCallOutput', output: 'There is no tool "echo". No tools are offered.' },
      { __typename: 'Message' },
    ]);
    expect(sentTo(app)).not.toHaveProperty('tools');
    expect(server.calls).toHaveLength(1);
  },
);

test('a listing is used again where label, address and filter are the same, and the filter counts again', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: { ...ECHO, other: {} } });
  await using moved = await startMcpServer({ tools: { third: {} } });
  const listed = (items: readonly { readonly __typename: string }[]) =>
    items.filter(({ __typename }) => __typename === 'McpListTools').length;
  const first = await run(app, { input, tools: [mcp('server', server)] });
  const follow = async (previousResponseId: string, tool: object) =>
    run(app, { input, previousResponseId, tools: [tool] });
  const same = await follow(first.id, mcp('server', server, { headers: { 'x-key': 'another' } }));
  expect(listed(same.output)).toBe(0);
  expect(namesShownTo(app)).toEqual(['echo', 'other']);
  const deep = await follow(same.id, mcp('server', server));
  expect(listed(deep.output)).toBe(0);
  expect(listed((await follow(deep.id, mcp('server', moved))).output)).toBe(1);
  expect(namesShownTo(app)).toEqual(['third']);
  expect(listed((await follow(deep.id, mcp('relabelled', server))).output)).toBe(1);
  const allowedTools = { toolNames: ['other'] };
  const narrow = await follow(deep.id, mcp('server', server, { allowedTools }));
  expect(listed(narrow.output)).toBe(1);
  expect(listed((await follow(narrow.id, mcp('server', server, { allowedTools }))).output)).toBe(0);
  expect(namesShownTo(app)).toEqual(['other']);
  expect(listed((await follow(narrow.id, mcp('server', server))).output)).toBe(0); // an older one holds
  expect(server.requests.filter(({ body }) => body?.['method'] === 'tools/list')).toHaveLength(3);
});

test('a listing that the client kept and gives back is used as well', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: { ...ECHO, hidden: {} } });
  const kept = { serverLabel: 'server', tools: [{ name: 'echo', inputSchema: { type: 'object' } }] };
  const items = [{ mcpListTools: kept }, { message: { content: { text: 'Hi' } } }];
  app.upstream.enqueue(calls([call('echo', { text: 'x' })]), says('ok'));
  const response = await run(app, { input: { items }, tools: [mcp('server', server)] });
  expect(typesOf(response.output)).toEqual(['McpCall', 'Message']);
  expect(namesShownTo(app)).toEqual(['echo']);
  expect(server.requests.map(({ body }) => body?.['method'])).not.toContain('tools/list');
});

test('nested schemas and annotations come through as the server wrote them, over all pages', async () => {
  await using app = await startTestApp();
  const inputSchema = {
    type: 'object',
    $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
    properties: { list: { type: 'array', items: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } } },
    'x-own': { deep: [{ er: 1 }] },
  };
  const annotations = { readOnlyHint: true, title: 'A tree', other: [1] };
  const tree = { description: 'Grows.', inputSchema, annotations };
  const many = Array.from({ length: 7 }, (_, index) => [`tool_${index}`, index === 6 ? tree : {}] as const);
  await using server = await startMcpServer({ tools: Object.fromEntries(many), pageSize: 2 });
  const { output } = await run(app, { input, tools: [mcp('server', server)] });
  expect(output[0].tools).toHaveLength(7);
  expect(output[0].tools[6]).toEqual({ name: 'tool_6', description: 'Grows.', inputSchema, annotations });
  expect(shownTo(app)[6]).toEqual({ name: 'tool_6', description: 'Grows.', parameters: inputSchema });
});

test('a server that dies between listing and call, or in the middle of one, fails that call only', async () => {
  await using app = await startTestApp();
  const server = await startMcpServer({
    tools: {
      fall: {
        run: () => {
          server.kill();
          return 'never heard';
        },
      },
    },
  });
  await using other = await startMcpServer({ tools: ECHO });
  app.upstream.enqueue(calls([call('fall'), call('echo', { text: 'x' })]), calls([call('fall')]), says('ok'));
  const response = await run(app, { input, tools: [mcp('server', server), mcp('other', other)] });
  expect(response.status).toBe('COMPLETED');
  expect(response.output.slice(2)).toMatchObject([
    { name: 'fall', status: 'FAILED', output: null, error: { type: expect.stringMatching(/HTTP|PROTOCOL/) } },
    { name: 'echo', status: 'COMPLETED', output: 'echo: x' },
    { name: 'fall', status: 'FAILED', error: { type: 'HTTP' } },
    { __typename: 'Message' },
  ]);
  const told = sentTo(app).messages.filter(({ role }) => role === 'tool');
  expect(told.map(({ content }) => content)).toEqual(
    [2, 3, 4].map((index) => response.output[index].output ?? response.output[index].error.message),
  );
});
