import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, create } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { run } from '../support/run.ts';
import { type SearchingApp, startSearchingApp } from '../support/searching-app.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

let app: SearchingApp;
let plain: TestApp; // cannot search, and reaches no private address

beforeAll(async () => {
  app = await startSearchingApp();
  plain = await startTestApp({ beside: app, config: { allowPrivate: false } });
});

afterAll(async () => {
  await plain[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

const SECRET = 's3cret-v4lue';
const input = { text: 'Hi' };
const never = { requireApproval: { mode: 'NEVER' } };
const server = (more: object = {}) => ({
  mcp: { serverLabel: 'a', serverUrl: 'https://a.example/mcp', ...more },
});
const withServer = (more: object) => ({ tools: [server(more)] });
const withHeaders = (headers: object, more: object = {}) => withServer({ headers, ...more });
const search = (webSearch: object = {}) => ({ webSearch });
const item = (each: object) => ({ input: { items: [each] } });
const listing = (tool: object) => item({ mcpListTools: { serverLabel: 'a', tools: [tool] } });
const only = (tool: object) => ({ allowedTools: { mode: 'AUTO', tools: [{ function: 'f' }, tool] } });
const f = { function: { name: 'f' } };
const LIST = 'input.items.0.mcpListTools.tools.0';

/** The errors of a request that is refused, by their paths. Nothing of it may be stored or sent. */
async function refused(request: object, to: TestApp = app): Promise<ReadonlyMap<string, string>> {
  const before = app.upstream.exchanges.length;
  const { response, errors } = await create(to, { input, ...request });
  expect(response).toBeNull();
  for (const { __typename, code, message } of errors) {
    expect([__typename, code]).toEqual(['InvalidInputError', 'INVALID_INPUT']);
    expect(message).toMatch(/.{10}\.$/);
  }
  expect(JSON.stringify(errors)).not.toContain(SECRET);
  expect(app.upstream.exchanges).toHaveLength(before);
  expect(await app.database.sql`select id from responses where metadata->>'kept' is null`).toHaveLength(0);
  const byPath = errors.map(({ path, message }: { path: string[]; message: string }) => [
    path.join('.'),
    message,
  ]);
  expect(new Set(byPath.map(([path]: string[]) => path)).size, 'each path once').toBe(byPath.length);
  return new Map(byPath);
}

test.each<[string, object]>([
  ['tools.0.mcp.serverUrl', withServer({ serverUrl: '' })],
  ['tools.0.mcp.serverUrl', withServer({ serverUrl: 'a.example/mcp' })],
  ['tools.0.mcp.serverUrl', withServer({ serverUrl: 'ftp://a.example/' })],
  ['tools.0.mcp.serverUrl', withServer({ serverUrl: 'file:///etc/passwd' })],
  ['tools.0.mcp.serverUrl', withServer({ serverUrl: `https://user:${SECRET}@a.example/` })],
  ['tools.0.mcp.serverUrl', withServer({ serverUrl: `https://${SECRET}@a.example/` })],
  ['tools.0.mcp.serverLabel', withServer({ serverLabel: '' })],
  ['tools.0.mcp.serverLabel', withServer({ serverLabel: 'a b' })],
  ['tools.0.mcp.serverLabel', withServer({ serverLabel: 'x'.repeat(65) })],
  ['tools.1.mcp.serverLabel', { tools: [server(), server({ serverUrl: 'https://b.example' })] }],
  ['tools.2.webSearch', { tools: [search(), f, search()] }],
  ['tools.0.webSearch.userLocation.country', { tools: [search({ userLocation: { country: 'Germany' } })] }],
  ['tools.0.webSearch.userLocation.country', { tools: [search({ userLocation: { country: 'D1' } })] }],
  ['tools.0.webSearch.allowedDomains.1', { tools: [search({ allowedDomains: ['a.example', ''] })] }],
  ['tools.0.mcp.headers.Host', withHeaders({ Host: SECRET })],
  ['tools.0.mcp.headers.X-KEY', withHeaders({ 'x-key': SECRET, 'X-KEY': SECRET })],
  ['tools.0.mcp.headers.content-length', withHeaders({ 'content-length': '1' })],
  ['tools.0.mcp.headers.Mcp-Session-Id', withHeaders({ 'Mcp-Session-Id': SECRET })],
  ['tools.0.mcp.headers.', withHeaders({ '': SECRET })],
  ['tools.0.mcp.headers.x y', withHeaders({ 'x y': SECRET })],
  ['tools.0.mcp.headers.x:', withHeaders({ 'x:': SECRET })],
  ['tools.0.mcp.headers.x\n', withHeaders({ 'x\n': SECRET })],
  ['tools.0.mcp.headers.x', withHeaders({ x: 5 })],
  ['tools.0.mcp.headers.x', withHeaders({ x: null })],
  ['tools.0.mcp.headers.x', withHeaders({ x: [SECRET] })],
  ['tools.0.mcp.headers.x', withHeaders({ x: { y: SECRET } })],
  ['tools.0.mcp.headers.x', withHeaders({ x: `${SECRET}\r\nHost: b` })],
  ['tools.0.mcp.headers.x', withHeaders({ x: `${SECRET}\0` })],
  ['tools.0.mcp.headers.x', withHeaders({ x: `${SECRET}\u20ac` })],
  ['tools.0.mcp.headers.__proto__', withHeaders(JSON.parse(`{"__proto__":{"x":"${SECRET}"}}`))],
  ['tools.0.mcp.authorization', withServer({ authorization: '' })],
  ['tools.0.mcp.authorization', withServer({ authorization: `${SECRET}\n` })],
  ['tools.0.mcp.authorization', withHeaders({ AUTHORIZATION: SECRET }, { authorization: SECRET })],
  ['toolChoice.mcp.serverLabel', { tools: [server()], toolChoice: { mcp: { serverLabel: 'b' } } }],
  ['toolChoice.mcp.serverLabel', { toolChoice: { mcp: { serverLabel: 'a', name: 'x' } } }],
  ['toolChoice.hosted', { tools: [server()], toolChoice: { hosted: 'WEB_SEARCH' } }],
  ['toolChoice.function', { tools: [server({ serverLabel: 'f' })], toolChoice: { function: 'f' } }],
  [
    'toolChoice.allowedTools.tools.1.mcp.serverLabel',
    { tools: [f], toolChoice: only({ mcp: { serverLabel: 'b' } }) },
  ],
  ['toolChoice.allowedTools.tools.1.hosted', { tools: [f], toolChoice: only({ hosted: 'WEB_SEARCH' }) }],
  ['maxToolCalls', { maxToolCalls: 0 }],
  ['maxToolCalls', { tools: [search()], maxToolCalls: -1 }],
  ['tools.0.mcp.requireApproval', { store: false, tools: [server()] }],
  ['tools.0.mcp.requireApproval', { store: false, ...withServer({ requireApproval: { mode: 'ALWAYS' } }) }],
  [
    'tools.0.mcp.requireApproval',
    { store: false, ...withServer({ requireApproval: { filter: { never: {} } } }) },
  ],
  [
    'input.items.0.webSearchCall.sources.0.url',
    item({ webSearchCall: { query: 'a', sources: [{ url: 'a' }] } }),
  ],
  [`${LIST}.inputSchema`, listing({ name: 'x', inputSchema: [] })],
  [`${LIST}.name`, listing({ name: '', inputSchema: {} })],
])('refused by name: %s (%j)', async (path, request) => {
  expect([...(await refused(request)).keys()]).toEqual([path]);
});

test('without a provider a web search is refused with the keys that would configure one', async () => {
  const errors = await refused({ tools: [f, search()] }, plain);
  expect([...errors.keys()]).toEqual(['tools.1.webSearch']);
  for (const key of ['BRAVE_API_KEY', 'TAVILY_API_KEY', 'SEARXNG_URL'])
    expect(errors.get('tools.1.webSearch')).toContain(key);
});

test.each([
  'http://127.0.0.1:1/mcp',
  'http://[::1]/',
  'http://10.0.0.8/',
  'http://localhost:3000/',
  'http://2130706433/',
])('a server at %s is refused where private addresses are not allowed, and only there', async (serverUrl) => {
  const request = withServer({ serverUrl, ...never });
  expect([...(await refused(request, plain)).keys()]).toEqual(['tools.0.mcp.serverUrl']);
  const { errors } = await create(app, { input, ...request, maxToolCalls: 0 }); // refused, but not for that
  expect(errors).toMatchObject([{ path: ['maxToolCalls'] }]);
});

test('everything that is wrong with the tools of a request is named at once', async () => {
  const tools = [
    f,
    f,
    search({ allowedDomains: [''], userLocation: { country: 'x' } }),
    search(),
    server({
      serverUrl: 'x',
      headers: { Host: SECRET, 'a b': SECRET, good: SECRET, x: 1 },
      authorization: '',
    }),
    server({ serverLabel: 'b' }),
    server({ serverLabel: 'b', ...never }),
  ];
  const toolChoice = {
    allowedTools: { mode: 'AUTO', tools: [{ mcp: { serverLabel: 'c' } }, { function: 'g' }] },
  };
  const errors = await refused({ tools, toolChoice, maxToolCalls: 0, store: false });
  expect([...errors.keys()].sort()).toEqual(
    [
      'maxToolCalls',
      'toolChoice.allowedTools.tools.0.mcp.serverLabel',
      'toolChoice.allowedTools.tools.1.function',
      'tools.1.function.name',
      'tools.2.webSearch.allowedDomains.0',
      'tools.2.webSearch.userLocation.country',
      'tools.3.webSearch',
      'tools.4.mcp.authorization',
      'tools.4.mcp.headers.Host',
      'tools.4.mcp.headers.a b',
      'tools.4.mcp.headers.x',
      'tools.4.mcp.requireApproval',
      'tools.4.mcp.serverUrl',
      'tools.5.mcp.requireApproval',
      'tools.6.mcp.serverLabel',
    ].sort(),
  );
});

const TOOLS = `query ($id: ID!) {
  response(id: $id) {
    tools {
      ... on FunctionTool { name description parameters strict }
      ... on WebSearchTool { searchContextSize allowedDomains userLocation { city country region timezone } }
      ... on McpServerTool {
        serverLabel serverUrl serverDescription headerNames allowedTools { ...Filter }
        requireApproval { mode always { ...Filter } never { ...Filter } }
      }
    }
  }
}
fragment Filter on McpToolFilter { toolNames excludedToolNames readOnly }`;

test('tools are read back as they were given, with defaults, but of headers the names only', async () => {
  await using one = await startMcpServer();
  const headers = { 'X-Api-Key': SECRET, 'x-trace': `${SECRET}-2` };
  const secrets = { headers, authorization: `${SECRET}-3` };
  const allowedTools = { toolNames: ['a'], excludedToolNames: [], readOnly: false };
  const filter = { always: { readOnly: false }, never: { toolNames: ['a'] } };
  const at = (serverLabel: string, more: object) => server({ serverLabel, serverUrl: one.url, ...more });
  const location = { city: 'Bern', country: 'ch', region: 'BE', timezone: 'Europe/Zurich' };
  const read = async (...tools: readonly object[]) => {
    const { id } = await run(app, { input, tools, metadata: { kept: 'yes' } });
    return (await ask(app, TOOLS, { id })).response.tools;
  };
  const policy = (mode: string) => ({ mode, always: null, never: null });
  const bare = { serverUrl: one.url, serverDescription: null, headerNames: [], allowedTools: null };
  const EMPTY = { toolNames: null, excludedToolNames: null, readOnly: null };
  expect(
    await read(
      f,
      search(),
      at('bare', {}),
      at('free', never),
      at('full', { serverDescription: 'Of us.', ...secrets, allowedTools, requireApproval: { filter } }),
    ),
  ).toEqual([
    { name: 'f', description: null, parameters: null, strict: null },
    { searchContextSize: 'MEDIUM', allowedDomains: [], userLocation: null },
    { serverLabel: 'bare', ...bare, requireApproval: policy('ALWAYS') },
    { serverLabel: 'free', ...bare, requireApproval: policy('NEVER') },
    {
      serverLabel: 'full',
      serverUrl: one.url,
      serverDescription: 'Of us.',
      headerNames: ['X-Api-Key', 'x-trace'],
      allowedTools,
      requireApproval: {
        mode: 'FILTERED',
        always: { ...EMPTY, readOnly: false },
        never: { ...EMPTY, toolNames: ['a'] },
      },
    },
  ]);
  expect(one.requests.some(({ headers }) => headers['x-trace'] === `${SECRET}-2`)).toBe(true);
  const given = { searchContextSize: 'HIGH', allowedDomains: ['a.example'], userLocation: location };
  expect(await read(search(given))).toEqual([given]);
  const partly = { searchContextSize: 'LOW', allowedDomains: [], userLocation: { country: 'CH' } };
  const filled = { ...partly, userLocation: { city: null, country: 'CH', region: null, timezone: null } };
  expect(await read(search(partly))).toEqual([filled]);
});
