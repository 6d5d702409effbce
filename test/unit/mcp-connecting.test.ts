import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ToolFailure } from '../../src/tools/tool-failure.ts';
import { openOutbound } from '../support/internet.ts';
import { echo, hang, page, text } from '../support/mcp-answers.ts';
import { failureOf, startMcpRun } from '../support/mcp-run.ts';
import { type ReceivedRequest, startMcpServer } from '../support/mcp-server.ts';

const TOKEN = 'sk-live-0123456789';

describe('a session cannot be opened', () => {
  const initialize = (
    write: (answer: ServerResponse) => unknown,
    get?: (answer: ServerResponse) => unknown,
  ) =>
    startMcpServer({
      intercept(request, answer) {
        if (request.method === 'GET' && get !== undefined) get(answer);
        else write(answer);
        return true;
      },
    });

  test.each([401, 403, 429, 500])(
    'if the server answers %i, and the other transport is not tried',
    async (code) => {
      await using server = await initialize(page(code, 'text/plain', 'No'));
      await using run = startMcpRun(server);
      expect(await failureOf(run.connect())).toMatchObject({
        type: 'http',
        code,
        message: `The server answered with HTTP ${code}: No`,
      });
      expect(server.requests).toHaveLength(1);
    },
  );

  test.each([
    ['the first answer', page(404, 'text/plain', 'Not here'), page(405, 'text/plain', ''), 404],
    ['the first answer', page(400, 'text/plain', 'Bad key'), page(200, 'text/html', ''), 400],
    ['the second', page(405, 'text/plain', ''), page(401, 'text/plain', 'Who are you?'), 401],
  ])('over neither transport: %s is told', async (_, write, get, code) => {
    await using server = await initialize(write, get);
    await using run = startMcpRun(server);
    expect(await failureOf(run.connect())).toMatchObject({ type: 'http', code });
    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });

  test('if the server speaks a version that nobody knows', async () => {
    const result = {
      protocolVersion: '1999-01-01',
      capabilities: {},
      serverInfo: { name: 'x', version: '1' },
    };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 0, result });
    await using server = await initialize(page(200, 'application/json', body));
    await using run = startMcpRun(server);
    expect(await failureOf(run.connect())).toMatchObject({
      type: 'protocol',
      message: expect.stringContaining('1999-01-01'),
    });
  });

  test('but may be at the next attempt', async () => {
    let isUp = false;
    await using server = await startMcpServer({
      tools: { echo },
      intercept(_, answer) {
        if (!isUp) page(503, 'text/plain', 'Starting')(answer);
        return !isUp;
      },
    });
    await using run = startMcpRun(server);
    expect(await failureOf(run.connect())).toMatchObject({ type: 'http', code: 503 });
    isUp = true;
    expect(await run.call('echo', { words: 'hi' })).toEqual(text('You said hi'));
  });
});

test.each(['streamable', 'sse'] as const)(
  'a failure of the way out stays what it is (%s)',
  async (transport) => {
    const blocked = new ToolFailure('blocked', 'That address is not allowed.');
    await using server = await startMcpServer({ transport });
    await using run = startMcpRun(server, {
      fetch: (input, init) => {
        if (transport === 'sse' && init?.method === 'POST') return fetch(input, init);
        return Promise.reject(new TypeError('fetch failed', { cause: blocked }));
      },
    });
    expect(await failureOf(run.connect())).toBe(blocked);
  },
);

test('a close ends what is on its way, and takes no longer than a server that does not say goodbye', async () => {
  const intercept = ({ method }: ReceivedRequest) => method === 'DELETE';
  await using server = await startMcpServer({ tools: { hang }, intercept });
  const run = startMcpRun(server);
  const failure = failureOf(run.call('hang'));
  await server.called(1);
  const before = performance.now();
  await run.close();
  expect(performance.now() - before).toBeLessThan(2000);
  expect(await failure).toMatchObject({ message: 'The connections to MCP servers are closed.' });
});

test('a close ends an attempt to connect', async () => {
  await using server = await startMcpServer({ intercept: () => true });
  const run = startMcpRun(server);
  const failure = failureOf(run.connect());
  await expect.poll(() => server.requests).toHaveLength(1);
  await run.close();
  expect(await failure).toMatchObject({ message: 'The connections to MCP servers are closed.' });
});

test.each(['streamable', 'sse'] as const)(
  'a server that has moved to another origin is followed over %s, and takes no secret along',
  async (transport) => {
    await using elsewhere = await startMcpServer({ tools: { echo }, transport });
    await using server = await startMcpServer({
      intercept(_, answer) {
        answer.writeHead(307, { location: elsewhere.url }).end();
        return true;
      },
    });
    await using outbound = openOutbound({ allowPrivate: true });
    const headers = { 'x-key': 'a-secret-of-the-first' };
    await using run = startMcpRun(server, { authorization: TOKEN, headers, fetch: outbound.fetch });
    if (transport === 'streamable') {
      expect(await run.list()).toMatchObject([{ name: 'echo' }]);
      expect(await run.call('echo', { text: 'x' })).toHaveLength(1);
    } else await failureOf(run.connect()); // its messages go to an address that it names: that must be its own
    expect(elsewhere.requests.length).toBeGreaterThan(0);
    for (const request of elsewhere.requests) {
      expect(request.headers).not.toHaveProperty('authorization');
      expect(request.headers).not.toHaveProperty('x-key');
    }
    expect(server.requests[0]?.headers.authorization).toContain(TOKEN);
  },
);
