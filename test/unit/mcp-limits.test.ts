import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { answers, methodsOf, page, resultEvent, stream, text, tool } from '../support/mcp-answers.ts';
import { failureOf, startMcpRun } from '../support/mcp-run.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import type { Json } from '../support/mcp-tools.ts';

const KIB = 1024;

describe('a listing is refused', () => {
  test.each([
    [
      'that has too many bytes in one schema',
      () => ({ tools: [{ name: 'a', inputSchema: { default: 'x'.repeat(2048 * KIB) } }] }),
    ],
    [
      'that has too many bytes on all pages together',
      (cursor = '0') => ({
        tools: [{ name: cursor, inputSchema: { default: 'x'.repeat(900 * KIB) } }],
        ...(cursor !== '2' && { nextCursor: String(Number(cursor) + 1) }),
      }),
    ],
  ])('%s', async (_, list) => {
    await using server = await startMcpServer({ list });
    await using run = startMcpRun(server);
    expect(await failureOf(run.list())).toMatchObject({
      type: 'protocol',
      message: 'The list of tools has more than 2097152 bytes.',
    });
  });

  test('that has too many pages', async () => {
    const list = (cursor = '0') => ({ tools: [], nextCursor: String(Number(cursor) + 1) });
    await using server = await startMcpServer({ list });
    await using run = startMcpRun(server);
    expect(await failureOf(run.list())).toMatchObject({ type: 'protocol' });
    expect(methodsOf(server.requests).filter((method) => method === 'tools/list')).toHaveLength(100);
  });

  test('that has too many elements, tools or not', async () => {
    await using server = await startMcpServer({ list: () => ({ tools: new Array(2001).fill(0) }) });
    await using run = startMcpRun(server);
    expect(await failureOf(run.list())).toMatchObject({
      type: 'protocol',
      message: 'The list of tools does not end, or has more than 2000.',
    });
  });
});

test('a schema or annotations that nobody can use spoil no other tool', async () => {
  const nested = (levels: number): Json => (levels === 0 ? {} : { a: nested(levels - 1) });
  const schemas = [7, true, 'object', [], null, nested(100), nested(250)];
  const odd = schemas.map((inputSchema, at) => ({ name: `${at}`, inputSchema, annotations: nested(250) }));
  const good = { name: 'good', description: null, inputSchema: nested(99), annotations: nested(99) };
  await using server = await startMcpServer({ list: () => ({ tools: [...odd, good] }) });
  await using run = startMcpRun(server);
  const tools = await run.list();
  expect(tools.at(-1)).toEqual(good);
  for (const { inputSchema, annotations } of tools.slice(0, -1)) {
    expect({ inputSchema, annotations }).toEqual({ inputSchema: { type: 'object' }, annotations: null });
  }
});

describe('a call fails', () => {
  test('if its result has too many parts', async () => {
    const content = new Array(1001).fill({ type: 'text', text: '' });
    await using server = await startMcpServer({ tools: { many: tool(() => content) } });
    await using run = startMcpRun(server);
    expect(await failureOf(run.call('many'))).toMatchObject({
      type: 'protocol',
      message: 'The result of the tool has more than 1000 parts.',
    });
  });

  test('with the beginning of a long error of the protocol', async () => {
    const words = `${'x'.repeat(1990)} a-long-secret ${'y'.repeat(99_999)}`;
    const broken = tool(() => {
      throw new Error(words);
    });
    await using server = await startMcpServer({ tools: { broken } });
    await using run = startMcpRun(server, { headers: { 'x-key': 'a-long-secret' } });
    const { message } = await failureOf(run.call('broken'));
    expect(message.length).toBeLessThanOrEqual(2000);
    expect(message).toContain('x'.repeat(1900));
    expect(message).not.toContain('a-long');
  });

  test('with the beginning of the long words of a tool', async () => {
    const content = [{ type: 'text', text: 'x'.repeat(10_001) }];
    await using server = await startMcpServer({
      tools: { broken: tool(() => ({ content, isError: true })) },
    });
    await using run = startMcpRun(server);
    expect((await failureOf(run.call('broken'))).message).toBe('x'.repeat(10_000));
  });

  const LARGE = { content: [{ type: 'text', text: 'x'.repeat(4300 * KIB) }] };

  /** Little, but much work to read. */
  const NESTED = { content: [], structuredContent: { all: Array.from({ length: 260_000 }, () => []) } };

  test.each([
    ['text/event-stream', LARGE, '4194304 bytes'],
    ['application/json', LARGE, '4194304 bytes'],
    ['text/event-stream', NESTED, '250000 objects and lists'],
    ['application/json', NESTED, '250000 objects and lists'],
  ])('if its answer is too large (%s)', async (type, result, limit) => {
    const intercept = answers((answer, request) => {
      const event = `id: 1\n${resultEvent(request, result)}`;
      page(200, type, type === 'application/json' ? event.slice('id: 1\ndata: '.length) : event)(answer);
    });
    await using server = await startMcpServer({ intercept });
    await using run = startMcpRun(server);
    expect(await failureOf(run.call('any'))).toMatchObject({
      type: 'protocol',
      message: `A message of the server has more than ${limit}.`,
    });
    expect(server.requests.map(({ method }) => method)).not.toContain('GET');
  });

  test('if its answer is too large over the older transport', async () => {
    await using server = await startMcpServer({ transport: 'sse', tools: { large: tool(() => LARGE) } });
    await using run = startMcpRun(server);
    expect(await failureOf(run.call('large'))).toMatchObject({
      type: 'protocol',
      message: 'A message of the server has more than 4194304 bytes.',
    });
  });

  test('at once if the JSON that it is answered with answers something else', async () => {
    const other = JSON.stringify({ jsonrpc: '2.0', id: 999, result: {} });
    await using server = await startMcpServer({ intercept: answers(page(200, 'application/json', other)) });
    await using run = startMcpRun(server, { timeoutMs: 60_000 });
    expect(await failureOf(run.call('any'))).toMatchObject({
      type: 'protocol',
      message: 'The server ended its answer before it had given a result.',
    });
  });
});

test('large numbers of messages are fine as long as each is small', async () => {
  const note = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/x', params: { a: 'x'.repeat(90 * KIB) } })}\n\n`;
  const intercept = answers((answer, request) =>
    stream(note.repeat(50) + resultEvent(request, { content: [{ type: 'text', text: 'done' }] }))(answer),
  );
  await using server = await startMcpServer({ intercept });
  await using run = startMcpRun(server);
  expect(await run.call('any')).toEqual(text('done'));
});

test.each(['streamable', 'sse'] as const)(
  'a server that asks and asks is answered a few times, and the call goes on (%s)',
  async (transport) => {
    const pings = Array.from(
      { length: 200 },
      (_, id) => `data: ${JSON.stringify({ jsonrpc: '2.0', id: `p${id}`, method: 'ping' })}\n\n`,
    ).join('');
    let events: ServerResponse | undefined;
    await using server = await startMcpServer({
      transport,
      tools: { any: {} },
      intercept(request, answer) {
        if (transport === 'sse' && request.method === 'GET') events = answer;
        if (request.body?.['method'] !== 'tools/call') return false;
        events?.write(pings);
        if (transport === 'sse') return false;
        stream(pings + resultEvent(request, { content: [{ type: 'text', text: 'ok' }] }))(answer);
        return true;
      },
    });
    const run = startMcpRun(server);
    expect(await run.call('any')).toEqual(text('ok'));
    await run.close();
    expect(server.requests.filter(({ body }) => String(body?.['id']).startsWith('p'))).toHaveLength(20);
  },
);
