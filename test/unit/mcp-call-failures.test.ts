import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, test } from 'vitest';
import { ToolFailure } from '../../src/tools/tool-failure.ts';
import { answers, echo, hang, page, stream, tool } from '../support/mcp-answers.ts';
import { failureOf, startMcpRun } from '../support/mcp-run.ts';
import { type ReceivedRequest, startMcpServer } from '../support/mcp-server.ts';

describe('a call fails', () => {
  test.each([
    [
      'with the words of a tool that fails',
      { content: [{ type: 'text', text: 'No such file' }], isError: true },
      'No such file',
    ],
    [
      'with a sentence if the tool has none',
      { content: [], isError: true },
      'The tool failed and did not say why.',
    ],
  ])('%s', async (_, result, message) => {
    await using server = await startMcpServer({ tools: { broken: tool(() => result) } });
    await using run = startMcpRun(server);
    expect(await failureOf(run.call('broken'))).toMatchObject({ type: 'execution', code: null, message });
  });

  test.each([
    [new McpError(-32_602, 'Bad arguments'), -32_602, 'Bad arguments'],
    [new McpError(-32_000, 'Connection closed'), -32_000, 'Connection closed'],
    [new McpError(-32_001, ''), -32_001, 'The server answered with the error -32001.'],
    [new Error('Oops'), -32_603, 'Oops'],
  ])('with the error of the protocol: %s', async (error, code, message) => {
    const broken = tool(() => {
      throw error;
    });
    await using server = await startMcpServer({ tools: { broken } });
    await using run = startMcpRun(server);
    expect(await failureOf(run.call('broken'))).toMatchObject({ type: 'protocol', code, message });
  });

  test.each([
    [
      'a status',
      page(500, 'text/plain', 'x'.repeat(1000)),
      'http',
      500,
      `The server answered with HTTP 500: ${'x'.repeat(300)}`,
    ],
    [
      'a status with a page',
      page(502, 'text/html', '<html>Bad</html>'),
      'http',
      502,
      'The server answered with HTTP 502.',
    ],
    [
      'a status with an endless body',
      page(503, 'text/plain', 'x'.repeat(99_999)),
      'http',
      503,
      'The server answered with HTTP 503.',
    ],
    [
      'a status with an error in JSON',
      page(429, 'application/json', '{"error":{"message":"Slow down"}}'),
      'http',
      429,
      'The server answered with HTTP 429: Slow down',
    ],
    [
      'a page',
      page(200, 'text/html', '<html></html>'),
      'protocol',
      null,
      'The server does not speak MCP as it should: Unexpected content type: text/html',
    ],
    [
      'what is no JSON',
      page(200, 'application/json', '{"jsonrpc"'),
      'protocol',
      null,
      'The answer of the server is no valid MCP.',
    ],
    [
      'JSON of another kind',
      page(200, 'application/json', '{"ok":true}'),
      'protocol',
      null,
      'The answer of the server is no valid MCP.',
    ],
    [
      'nothing but "accepted"',
      page(202, 'text/plain', ''),
      'protocol',
      null,
      'The server ended its answer before it had given a result.',
    ],
    [
      'an empty stream',
      stream(''),
      'protocol',
      null,
      'The server ended its answer before it had given a result.',
    ],
    [
      'garbage in a stream',
      stream('data: {"jsonrpc"\n\ndata: 7\n\n'),
      'protocol',
      null,
      'The server ended its answer before it had given a result.',
    ],
    [
      'a stream that ends within an event',
      stream('event: message\ndata: {"jsonrpc":"2.'),
      'protocol',
      null,
      'The server ended its answer before it had given a result.',
    ],
  ])('if the answer is %s', async (_, write, type, code, message) => {
    await using server = await startMcpServer({ intercept: answers(write) });
    await using run = startMcpRun(server);
    expect(await failureOf(run.call('any'))).toMatchObject({ type, code, message });
  });

  test('if the server dies while it works, at once', async () => {
    await using server = await startMcpServer({ tools: { hang } });
    await using run = startMcpRun(server, { timeoutMs: 60_000 });
    const call = run.call('hang');
    await server.called(1);
    server.kill();
    expect(await failureOf(call)).toMatchObject({ type: 'http', code: null });
  });

  test('if it dies so over the older transport, at once', async () => {
    await using server = await startMcpServer({ transport: 'sse', tools: { hang } });
    await using run = startMcpRun(server, { timeoutMs: 60_000 });
    const call = run.call('hang');
    await server.called(1);
    server.kill();
    expect(await failureOf(call)).toMatchObject({
      type: 'http',
      message: 'The connection to the server was lost.',
    });
  });

  test.each(['streamable', 'sse'] as const)(
    'if the server died after the listing (%s)',
    async (transport) => {
      await using server = await startMcpServer({ transport, tools: { echo } });
      await using run = startMcpRun(server, { timeoutMs: 60_000 });
      await run.list();
      server.kill();
      expect(await failureOf(run.call('echo'))).toMatchObject({ type: 'http', code: null });
    },
  );

  test.each(['tools/call', 'initialize'])('if the server does not answer %s in time', async (silent) => {
    const intercept = ({ body }: ReceivedRequest) => body?.['method'] === silent;
    await using server = await startMcpServer({ tools: { echo }, intercept });
    await using run = startMcpRun(server, { timeoutMs: 100 });
    expect(await failureOf(run.call('echo'))).toMatchObject({
      type: 'timeout',
      message: 'The tool "echo" took longer than 0.1 seconds.',
    });
  });

  test('if its JSON breaks off', async () => {
    const intercept = answers((answer) => {
      answer.writeHead(200, { 'content-type': 'application/json', 'content-length': '999' });
      answer.write('{"jsonrpc"', () => answer.socket?.destroy());
    });
    await using server = await startMcpServer({ intercept });
    await using run = startMcpRun(server);
    expect(await failureOf(run.call('any'))).toMatchObject({ type: 'http', code: null });
  });

  test.each([
    ['streamable', (init?: RequestInit) => String(init?.body).includes('tools/call')],
    ['sse', (init?: RequestInit) => init?.body === undefined],
  ] as const)('as the way out does in the middle of an answer (%s)', async (transport, bringsAnswers) => {
    const tooLarge = new ToolFailure('protocol', 'The answer is too large.');
    const { promise: body, resolve } = Promise.withResolvers<TransformStreamDefaultController<Uint8Array>>();
    await using server = await startMcpServer({ transport, tools: { hang } });
    await using run = startMcpRun(server, {
      async fetch(input, init) {
        const response = await fetch(input, init);
        if (!bringsAnswers(init) || response.body === null) return response;
        const cut = new TransformStream<Uint8Array, Uint8Array>({ start: resolve });
        return new Response(response.body.pipeThrough(cut), response);
      },
    });
    const failure = failureOf(run.call('hang'));
    await server.called(1);
    (await body).error(tooLarge);
    expect(await failure).toBe(tooLarge);
  });
});
