import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DemoMcpServer, startDemoMcpServer } from '../../src/demo/mcp-server.ts';

let server: DemoMcpServer;
beforeAll(async () => {
  server = await startDemoMcpServer();
});
afterAll(() => server.close());

async function connect(url = server.url) {
  const client = new Client({ name: 'test', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  return {
    client,
    transport,
    /** The text of a tool's answer; one that reports an error begins with `error: `. */
    async call(name: string, values: Record<string, unknown>) {
      const result = CallToolResultSchema.parse(await client.callTool({ name, arguments: values }));
      const text = result.content.map((part) => (part.type === 'text' ? part.text : part.type)).join();
      return result.isError === true ? `error: ${text}` : text;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

const post = (body: object, headers: Record<string, string> = {}, url = server.url) =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
  });

test('it lists its tools with schemas, and says which of them only read', async () => {
  await using session = await connect();
  const { tools } = await session.client.listTools();
  const shown = tools.map(({ name, inputSchema, annotations }) => [
    name,
    inputSchema.required,
    annotations?.readOnlyHint,
  ]);
  expect(shown).toEqual([
    ['find_user', ['name'], true],
    ['list_permissions', ['userId'], true],
    ['send_postcard', ['userId', 'text'], false],
  ]);
});

test('what find_user answers is what list_permissions takes', async () => {
  await using session = await connect();
  const found = await session.call('find_user', { name: 'ada' });
  expect(found).toBe('Ada Lovelace is user_1815.');
  const userId = /user_\d+/.exec(found)?.[0];
  expect(await session.call('list_permissions', { userId })).toBe(
    'Ada Lovelace may write the first program; correct Mr. Babbage.',
  );
  expect(await session.call('send_postcard', { userId, text: 'Hello' })).toBe(
    'A postcard is on its way to Ada Lovelace: "Hello"',
  );
});

test('arguments that do not fit are refused by name, and the session goes on', async () => {
  await using session = await connect();
  const misfits = [
    { tool: 'find_user', values: { name: '' }, field: 'name' },
    { tool: 'list_permissions', values: {}, field: 'userId' },
    { tool: 'send_postcard', values: { userId: 'user_1815', text: 7 }, field: 'text' },
  ];
  for (const { tool, values, field } of misfits) {
    const refusal = await session.call(tool, values);
    expect(refusal).toMatch(new RegExp(`^error: .*Input validation error.* at ${field}$`));
  }
  expect(await session.call('find_user', { name: 'Turing' })).toBe('Alan Turing is user_1912.');
});

test('a user or a tool that there is not is an error that says so', async () => {
  await using session = await connect();
  expect(await session.call('find_user', { name: 'Bob' })).toBe(
    'error: Nobody here is called Bob. Here are Ada Lovelace, Grace Hopper, Alan Turing.',
  );
  expect(await session.call('list_permissions', { userId: 'user_1' })).toBe(
    'error: There is no user user_1.',
  );
  expect(await session.call('nope', {})).toMatch(/^error: .*nope/);
});

test('each client has a session of its own, which ends with it', async () => {
  await using first = await connect();
  await using second = await connect();
  const ended = first.transport.sessionId ?? '';
  expect(second.transport.sessionId).not.toBe(ended);
  await first.transport.terminateSession();
  const late = await post({ method: 'tools/list' }, { 'mcp-session-id': ended });
  expect([late.status, (await late.json()).error.message]).toEqual([404, 'Session not found.']);
  expect((await second.client.listTools()).tools).toHaveLength(3);
});

test('what is no beginning of a session, or goes elsewhere, is refused', async () => {
  expect((await post({ method: 'tools/list' })).status).toBe(400);
  const elsewhere = await post({ method: 'tools/list' }, {}, new URL('/', server.url).href);
  expect([elsewhere.status, (await elsewhere.json()).error.message]).toEqual([404, 'MCP is spoken at /mcp.']);
});

test('close() ends every session and stops listening', async () => {
  const own = await startDemoMcpServer();
  const sessions = await Promise.all([connect(own.url), connect(own.url)]);
  expect(await sessions[0].call('find_user', { name: 'Grace' })).toBe('Grace Hopper is user_1906.');
  await Promise.all([own.close(), own.close()]);
  for (const { client } of sessions) {
    await expect(client.listTools()).rejects.toThrow();
    await client.close();
  }
  await expect(connect(own.url)).rejects.toThrow('fetch failed');
});
