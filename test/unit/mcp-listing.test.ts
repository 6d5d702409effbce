import { expect, test } from 'vitest';
import { echo, methodsOf, page, text } from '../support/mcp-answers.ts';
import { failureOf, startMcpRun } from '../support/mcp-run.ts';
import { type ReceivedRequest, startMcpServer } from '../support/mcp-server.ts';

const names = ['a', 'b', 'c', 'd', 'e'];
const tools = Object.fromEntries(names.map((name) => [name, {}]));

test.each([1, 2, 5, 6])('every page is read, with %i tools on each', async (pageSize) => {
  await using server = await startMcpServer({ tools, pageSize });
  await using run = startMcpRun(server);
  expect((await run.list()).map(({ name }) => name)).toEqual(names);
  const pages = methodsOf(server.requests).filter((method) => method === 'tools/list');
  expect(pages).toHaveLength(Math.ceil(5 / pageSize));
});

test('schemas and annotations come as the server wrote them', async () => {
  const inputSchema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $defs: { tree: { type: 'object', properties: { children: { items: { $ref: '#/$defs/tree' } } } } },
    type: ['object', 'null'],
    properties: { a: { anyOf: [{ const: null }, { 'x-unknown': [1, { deep: true }] }] } },
    additionalProperties: false,
  };
  const annotations = { readOnlyHint: 'yes', 'x-mine': { a: [1] } };
  await using server = await startMcpServer({
    tools: { a: { description: 'An A', inputSchema, annotations } },
  });
  await using run = startMcpRun(server);
  expect(await run.list()).toEqual([{ name: 'a', description: 'An A', inputSchema, annotations }]);
});

test('odd tools do not spoil the others', async () => {
  const odd = [null, 'b', { description: 'nameless' }, { name: 7 }];
  const kept = [
    { name: 'a', description: 7, annotations: 'none' },
    { name: '', inputSchema: null },
    { name: 'a', description: 'again' },
    { name: 'b', inputSchema: true },
  ];
  await using server = await startMcpServer({
    list: () => ({ tools: [...odd, ...kept], nextCursor: null }),
  });
  await using run = startMcpRun(server);
  expect(await run.list()).toEqual([
    { name: 'a', description: null, inputSchema: { type: 'object' }, annotations: null },
    { name: '', description: null, inputSchema: { type: 'object' }, annotations: null },
    { name: 'b', description: null, inputSchema: { type: 'object' }, annotations: null },
  ]);
});

test.each([
  [
    'repeats a cursor',
    (cursor = '') => ({ tools: [{ name: cursor }], nextCursor: cursor === 'a' ? 'b' : 'a' }),
  ],
  ['has too many tools', () => ({ tools: Array.from({ length: 2001 }, (_, at) => ({ name: `${at}` })) })],
])('a list that %s is refused', async (_, list) => {
  await using server = await startMcpServer({ list });
  await using run = startMcpRun(server);
  expect(await failureOf(run.list())).toMatchObject({
    type: 'protocol',
    message: 'The list of tools does not end, or has more than 2000.',
  });
});

test('a list that fails does so with the error of the server, and the tools still work', async () => {
  const list = () => {
    throw new Error('The shelf is empty');
  };
  await using server = await startMcpServer({ tools: { echo }, list });
  await using run = startMcpRun(server);
  expect(await failureOf(run.list())).toMatchObject({
    type: 'protocol',
    code: -32_603,
    message: 'The shelf is empty',
  });
  expect(await run.call('echo', { words: 'hi' })).toEqual(text('You said hi'));
});

test('a list that takes too long is given up', async () => {
  const intercept = ({ body }: ReceivedRequest) => body?.['method'] === 'tools/list';
  await using server = await startMcpServer({ intercept });
  await using run = startMcpRun(server, { timeoutMs: 100 });
  expect(await failureOf(run.list())).toMatchObject({
    type: 'timeout',
    message: 'Listing the tools of "test" took longer than 0.1 seconds.',
  });
});

test('a server that has no tools and no method to list them lists nothing', async () => {
  const capabilities = { prompts: {} };
  const result = { protocolVersion: '2025-06-18', capabilities, serverInfo: { name: 'x', version: '1' } };
  const json = (body: object) => page(200, 'application/json', JSON.stringify({ jsonrpc: '2.0', ...body }));
  await using server = await startMcpServer({
    intercept({ body }, answer) {
      const id = body?.['id'];
      if (body?.['method'] === 'initialize') json({ id, result })(answer);
      else if (id === undefined) page(202, 'text/plain', '')(answer);
      else json({ id, error: { code: -32_601, message: 'Method not found' } })(answer);
      return true;
    },
  });
  await using run = startMcpRun(server);
  expect(await run.list()).toEqual([]);
  expect(await failureOf(run.call('any'))).toMatchObject({ type: 'protocol', code: -32_601 });
});
