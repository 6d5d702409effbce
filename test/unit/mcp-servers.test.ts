import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { echo, hang, methodsOf, resultEvent, stream, text } from '../support/mcp-answers.ts';
import { failureOf, startMcpRun } from '../support/mcp-run.ts';
import { startMcpServer } from '../support/mcp-server.ts';

describe.each(['streamable', 'sse'] as const)('a session over %s', (transport) => {
  test('is shared by concurrent calls and ended at the close', async () => {
    await using server = await startMcpServer({ transport, tools: { echo } });
    const run = startMcpRun(server);
    const words = ['a', 'b', 'c', 'd'];
    const results = await Promise.all([
      ...words.map((each) => run.call('echo', { words: each })),
      run.list(),
    ]);
    expect(results.slice(0, 4)).toEqual(words.map((each) => text(`You said ${each}`)));
    expect(server.sessions.opened).toHaveLength(1);
    await run.close();
    await expect.poll(() => server.sessions.closed).toEqual(server.sessions.opened);
  });

  test('sends the headers and the authorization with every request', async () => {
    await using server = await startMcpServer({
      transport,
      tools: { echo },
      token: 'a-token-of-some-length',
    });
    const run = startMcpRun(server, {
      authorization: 'a-token-of-some-length',
      headers: { 'X-Api-Key': 'key-of-mine', Authorization: 'Basic overruled', 'Content-Type': 'text/plain' },
    });
    await run.list();
    await run.call('echo', { words: 'hi' });
    await run.close();
    expect(server.requests.length).toBeGreaterThan(4);
    for (const { method, headers } of server.requests) {
      expect(headers).toMatchObject({
        authorization: 'Bearer a-token-of-some-length',
        'x-api-key': 'key-of-mine',
      });
      if (method === 'POST') expect(headers['content-type']).toBe('application/json');
    }
  });

  test('carries what a tool gives, and what the model gave it', async () => {
    const args = { words: 'Grüße', list: [1, null], nested: { 'a b': true } };
    await using server = await startMcpServer({ transport, tools: { echo } });
    await using run = startMcpRun(server);
    expect(await run.call('echo', args)).toEqual(text('You said Grüße'));
    expect(server.calls).toMatchObject([{ name: 'echo', args }]);
  });

  test('tells the server when a call is given up', async () => {
    await using server = await startMcpServer({ transport, tools: { hang } });
    await using run = startMcpRun(server);
    const controller = new AbortController();
    const call = run.call('hang', {}, controller.signal);
    const { signal } = await server.called(1);
    const reason = new Error('Enough');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    if (!signal.aborted) await once(signal, 'abort');
    expect(JSON.stringify(server.requests)).not.toContain('Enough');
  });

  test('tells the server so even if everything is closed right after', async () => {
    await using server = await startMcpServer({ transport, tools: { hang } });
    const run = startMcpRun(server);
    const controller = new AbortController();
    const call = run.call('hang', {}, controller.signal);
    await server.called(1);
    controller.abort();
    await Promise.all([expect(call).rejects.toThrow(), run.close()]);
    await expect.poll(() => methodsOf(server.requests)).toContain('notifications/cancelled');
  });

  test('gives the limit of time to slow tools, however often they report progress', async () => {
    const slow = {
      async run(_: object, { report, signal }: { report(at: number): Promise<void>; signal: AbortSignal }) {
        for (let at = 1; !signal.aborted; at++) {
          await report(at);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return 'too late';
      },
    };
    await using server = await startMcpServer({ transport, tools: { slow } });
    await using run = startMcpRun(server, { timeoutMs: 200 });
    expect(await failureOf(run.call('slow'))).toMatchObject({
      type: 'timeout',
      message: 'The tool "slow" took longer than 0.2 seconds.',
    });
    const { signal, progressToken } = await server.called(1);
    expect(progressToken).toBeDefined();
    if (!signal.aborted) await once(signal, 'abort');
  });

  test('is opened again for a listing if the server has forgotten it', async () => {
    await using server = await startMcpServer({ transport, tools: { echo } });
    await using run = startMcpRun(server);
    await run.connect();
    server.forgetSessions();
    expect(await run.list()).toHaveLength(1);
    expect(await run.call('echo', { words: 'hi' })).toEqual(text('You said hi'));
    expect(server.sessions.opened).toHaveLength(2);
  });

  test('is of no use after the close', async () => {
    await using server = await startMcpServer({ transport, tools: { echo } });
    const run = startMcpRun(server);
    await run.connect();
    await run.close();
    const before = server.requests.length;
    for (const attempt of [run.list(), run.connect(), run.call('echo')]) {
      expect(await failureOf(attempt)).toMatchObject({
        message: 'The connections to MCP servers are closed.',
      });
    }
    expect(server.requests).toHaveLength(before);
    await run.close();
  });
});

test('a server of the older transport is told from its refusal of the newer', async () => {
  await using server = await startMcpServer({ transport: 'sse', tools: { echo } });
  await using run = startMcpRun(server);
  expect(await run.call('echo', { words: 'hi' })).toEqual(text('You said hi'));
  expect(server.requests.slice(0, 2)).toMatchObject([
    { method: 'POST', path: '/sse', body: { method: 'initialize' } },
    { method: 'GET', path: '/sse' },
  ]);
});

test('the client offers the server nothing, and asks for no stream beside its answers', async () => {
  await using server = await startMcpServer({ tools: { echo } });
  await using run = startMcpRun(server);
  await run.list();
  expect(server.requests[0]?.body).toMatchObject({ method: 'initialize', params: { capabilities: {} } });
  expect(server.requests.map(({ method }) => method)).not.toContain('GET');
});

test('one caller that leaves takes the session from no other', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  await using server = await startMcpServer({ tools: { echo } });
  const slowly = async (...request: Parameters<typeof fetch>) => {
    await held;
    return fetch(...request);
  };
  await using run = startMcpRun(server, { fetch: (input, init) => slowly(input, init) });
  const controller = new AbortController();
  const first = run.connect(controller.signal);
  const second = run.call('echo', { words: 'hi' });
  controller.abort();
  await expect(first).rejects.toThrow();
  release();
  expect(await second).toEqual(text('You said hi'));
  expect(server.sessions.opened).toHaveLength(1);
});

test('nothing is asked for somebody who has left already', async () => {
  await using server = await startMcpServer({ tools: { echo } });
  await using run = startMcpRun(server);
  const reason = new Error('Gone');
  await expect(run.call('echo', {}, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(server.requests).toEqual([]);
});

test('what a server asks for is refused, and the call goes on', async () => {
  const asked = { jsonrpc: '2.0', id: 'x', method: 'sampling/createMessage', params: { messages: [] } };
  await using server = await startMcpServer({
    tools: { echo },
    intercept(request, answer) {
      if (request.body?.['method'] !== 'tools/call') return false;
      const result = { content: [{ type: 'text', text: 'done' }] };
      stream(`data: ${JSON.stringify(asked)}\n\n${resultEvent(request, result)}`)(answer);
      return true;
    },
  });
  await using run = startMcpRun(server);
  expect(await run.call('echo')).toEqual(text('done'));
  await expect
    .poll(() => server.requests.map(({ body }) => body))
    .toContainEqual({ jsonrpc: '2.0', id: 'x', error: { code: -32_601, message: 'Method not found' } });
});

test('garbage between the answers of the older transport hurts no call', async () => {
  let events: ServerResponse | undefined;
  await using server = await startMcpServer({
    transport: 'sse',
    tools: { echo },
    intercept({ method, body }, answer) {
      if (method === 'GET') events = answer;
      if (body?.['method'] === 'tools/call') events?.write(GARBAGE);
      return false;
    },
  });
  await using run = startMcpRun(server);
  expect(await run.call('echo', { words: 'hi' })).toEqual(text('You said hi'));
});

const GARBAGE = [
  'data: {"jsonrpc"',
  'data: 7',
  'data: {"jsonrpc":"2.0","id":999,"result":{}}',
  'data: {"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"?"}}',
  'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":{}}}',
  'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}',
]
  .map((event) => `${event}\n\n`)
  .join('');
