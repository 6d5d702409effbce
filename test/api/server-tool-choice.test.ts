import { afterAll, beforeAll, expect, test } from 'vitest';
import { calls, says } from '../support/chat-server.ts';
import { ask } from '../support/graphql.ts';
import { type McpTestServer, startMcpServer } from '../support/mcp-server.ts';
import { run, sentTo } from '../support/run.ts';
import { type SearchingApp, startSearchingApp } from '../support/searching-app.ts';
import { call, mcp } from '../support/tools.ts';
import { namesShownTo, toldTo } from '../support/upstream-tools.ts';

let app: SearchingApp;
let server: McpTestServer;

beforeAll(async () => {
  app = await startSearchingApp();
  server = await startMcpServer({ tools: { read: {}, write: {} } });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

const toolsOf = () => [{ function: { name: 'weather' } }, mcp('disk', server), { webSearch: {} }];
const ALL = ['weather', 'read', 'write', 'web_search'];
const forced = (name: string) => ({ type: 'function', function: { name } });
const NOTHING = { mode: 'AUTO', name: null, serverLabel: null, hosted: null, allowedToolsMode: null };

const disk = { mcp: { serverLabel: 'disk' } };
const read = { mcp: { serverLabel: 'disk', name: 'read' } };
const hosted = { hosted: 'WEB_SEARCH' };
const weather = { function: 'weather' };
const only = (mode: string, ...tools: readonly object[]) => ({ allowedTools: { mode, tools } });
const shown = (mode: string, ...allowedTools: readonly object[]) => ({
  mode: 'ALLOWED_TOOLS',
  allowedToolsMode: mode,
  allowedTools: allowedTools.map((each) => ({ name: null, serverLabel: null, hosted: null, ...each })),
});

interface Form {
  readonly toolChoice?: object;
  /** Shown in the first round, with this choice. */
  readonly first: readonly string[];
  readonly choice: unknown;
  /** Shown later; by default the same. */
  readonly later?: readonly string[];
  readonly read: object;
}

const FORMS: { readonly [title: string]: Form } = {
  'left out': { first: ALL, choice: 'auto', read: {} },
  AUTO: { toolChoice: { mode: 'AUTO' }, first: ALL, choice: 'auto', read: {} },
  NONE: { toolChoice: { mode: 'NONE' }, first: ALL, choice: 'none', read: { mode: 'NONE' } },
  REQUIRED: { toolChoice: { mode: 'REQUIRED' }, first: ALL, choice: 'required', read: { mode: 'REQUIRED' } },
  'a function': {
    toolChoice: weather,
    first: ALL,
    choice: forced('weather'),
    read: { mode: 'FUNCTION', name: 'weather' },
  },
  'the web search': {
    toolChoice: hosted,
    first: ALL,
    choice: forced('web_search'),
    read: { mode: 'HOSTED', ...hosted },
  },
  'a tool of a server': {
    toolChoice: read,
    first: ALL,
    choice: forced('read'),
    read: { mode: 'MCP', ...read.mcp },
  },
  'a server': {
    toolChoice: disk,
    first: ['read', 'write'],
    choice: 'required',
    later: ALL,
    read: { mode: 'MCP', ...disk.mcp },
  },
  'nothing but the web search': {
    toolChoice: only('AUTO', hosted),
    first: ['web_search'],
    choice: 'auto',
    read: shown('AUTO', hosted),
  },
  'nothing but a server': {
    toolChoice: only('AUTO', disk),
    first: ['read', 'write'],
    choice: 'auto',
    read: shown('AUTO', disk.mcp),
  },
  'one of some tools of all kinds': {
    toolChoice: only('REQUIRED', hosted, read, weather),
    first: ['weather', 'read', 'web_search'],
    choice: 'required',
    read: shown('REQUIRED', hosted, read.mcp, { name: 'weather' }),
  },
};

test.each(Object.entries(FORMS))('toolChoice: %s', async (_, { toolChoice, first, choice, later, read }) => {
  app.upstream.enqueue(calls([call('ghost')]), says('ok')); // for a second round
  const { id } = await run(app, { input: { text: 'Hi' }, tools: toolsOf(), toolChoice });
  expect([namesShownTo(app, -2), sentTo(app, -2)['tool_choice']]).toEqual([first, choice]);
  const auto = choice === 'none' ? 'none' : 'auto';
  expect([namesShownTo(app), sentTo(app)['tool_choice']]).toEqual([later ?? first, auto]);
  const query = `query ($id: ID!) {
    response(id: $id) {
      toolChoice { mode name serverLabel hosted allowedToolsMode allowedTools { name serverLabel hosted } }
    }
  }`;
  const { response } = await ask(app, query, { id });
  expect(response.toolChoice).toEqual({ ...NOTHING, allowedTools: null, ...read });
});

test('the forced search and the forced call are made, and the model then decides', async () => {
  app.upstream.enqueue(calls([call('web_search', { query: 'a' })]), says('ok'));
  const searched = await run(app, { input: { text: 'Hi' }, tools: toolsOf(), toolChoice: hosted });
  expect(searched.output.slice(1)).toMatchObject([{ query: 'a', status: 'COMPLETED' }, { text: 'ok' }]);
  app.upstream.enqueue(calls([call('write')]), says('ok'));
  const written = await run(app, { input: { text: 'Hi' }, tools: toolsOf(), toolChoice: disk });
  expect(written.output.slice(1)).toMatchObject([{ name: 'write', status: 'COMPLETED' }, { text: 'ok' }]);
});

test('what allowedTools leaves out is unknown: the other tools of a server, and the search', async () => {
  const before = [server.calls.length, app.search.searches.length];
  const round = [call('write'), call('web_search', { query: 'a' }), call('read')];
  app.upstream.enqueue(calls(round), says('ok'));
  const request = { input: { text: 'Hi' }, tools: toolsOf(), toolChoice: only('AUTO', read) };
  const unknown = { __typename: 'FunctionCall', status: 'FAILED', error: { type: 'UNKNOWN_TOOL' } };
  expect((await run(app, request)).output.slice(1)).toMatchObject([
    { ...unknown, name: 'write' },
    { ...unknown, name: 'web_search' },
    { __typename: 'McpCall', name: 'read', status: 'COMPLETED' },
    { output: 'There is no tool "write". Offered are: read.' },
    { output: 'There is no tool "web_search". Offered are: read.' },
    { text: 'ok' },
  ]);
  expect(toldTo(app)).toEqual([expect.stringContaining('"write"'), expect.stringContaining('"web'), 'ok']);
  const after = [server.calls.length, app.search.searches.length];
  expect(after).toEqual([(before[0] ?? 0) + 1, before[1]]);
});
