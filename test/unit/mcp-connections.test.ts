import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { echo, page, resultEvent, text } from '../support/mcp-answers.ts';
import { failureOf, startMcpRun } from '../support/mcp-run.ts';
import { type ReceivedRequest, startMcpServer } from '../support/mcp-server.ts';

describe('a session that is opened too late is ended', () => {
  const result = (protocolVersion: string) => ({
    protocolVersion,
    capabilities: {},
    serverInfo: { name: 'x', version: '1' },
  });
  const begin = (answer: ServerResponse) =>
    answer.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'late' });
  const give = (answer: ServerResponse, { body }: ReceivedRequest, version: string) =>
    begin(answer).end(JSON.stringify({ jsonrpc: '2.0', id: body?.['id'], result: result(version) }));

  test.each([
    [
      'if the body of the first answer does not come',
      (answer: ServerResponse) => begin(answer).flushHeaders(),
    ],
    [
      'if the server does not hear that it is open',
      (answer: ServerResponse, request: ReceivedRequest) => {
        if (request.body?.['method'] === 'initialize') give(answer, request, '2025-06-18');
      },
    ],
    [
      'if it is of an unknown version',
      (answer: ServerResponse, request: ReceivedRequest) => give(answer, request, '1999-01-01'),
    ],
  ])('%s', async (_, write) => {
    await using server = await startMcpServer({
      intercept(request, answer) {
        if (request.method === 'DELETE') page(200, 'text/plain', '')(answer);
        else write(answer, request);
        return true;
      },
    });
    const run = startMcpRun(server, { timeoutMs: 300 });
    await failureOf(run.connect());
    await run.close();
    const last = server.requests.at(-1);
    expect(last).toMatchObject({ method: 'DELETE', headers: { 'mcp-session-id': 'late' } });
  });
});

test('a close takes no longer than 2 seconds, whatever the server does not answer', async () => {
  const intercept = ({ method, body }: ReceivedRequest) =>
    method === 'DELETE' ||
    body?.['method'] === 'notifications/cancelled' ||
    body?.['method'] === 'tools/call';
  await using server = await startMcpServer({ intercept });
  const run = startMcpRun(server, { timeoutMs: 300 });
  await run.connect();
  await failureOf(run.call('any'));
  const before = performance.now();
  await run.close();
  expect(performance.now() - before).toBeLessThan(2000);
});

describe.each(['streamable', 'sse'] as const)('the connection of a call over %s', (transport) => {
  test.each([
    ['is ended when the call is given up', false],
    ['is ended when the call is answered', true],
  ])('%s', async (_, isAnswered) => {
    const closed = Promise.withResolvers<unknown>();
    let events: ServerResponse | undefined;
    await using server = await startMcpServer({
      transport,
      intercept(request, answer) {
        if (transport === 'sse' && request.method === 'GET') events = answer;
        if (request.body?.['method'] !== 'tools/call') return false;
        closed.resolve(once(answer, 'close'));
        if (transport === 'streamable') answer.writeHead(200, { 'content-type': 'text/event-stream' });
        const event = isAnswered ? resultEvent(request, {}) : ': nothing yet\n\n';
        (transport === 'sse' ? events : answer)?.write(event);
        return true;
      },
    });
    await using run = startMcpRun(server, { timeoutMs: isAnswered ? 5000 : 300 });
    await (isAnswered ? run.call('any') : failureOf(run.call('any')));
    await closed.promise; // while the run is open
  });
});

test('a message that the older transport never confirms does not delay the close', async () => {
  let events: ServerResponse | undefined;
  await using server = await startMcpServer({
    transport: 'sse',
    intercept(request, answer) {
      if (request.method === 'GET') events = answer;
      if (request.body?.['method'] !== 'tools/call') return false;
      events?.write(resultEvent(request, { content: [{ type: 'text', text: 'done' }] }));
      return true;
    },
  });
  const run = startMcpRun(server);
  expect(await run.call('any')).toEqual(text('done'));
  const before = performance.now();
  await run.close();
  expect(performance.now() - before).toBeLessThan(400);
});

test('an event stream of the older transport may have any words beside its status', async () => {
  await using server = await startMcpServer({ transport: 'sse', tools: { echo } });
  await using run = startMcpRun(server, {
    async fetch(input, init) {
      const response = await fetch(input, init);
      return Object.defineProperty(response, 'statusText', { value: 'Žlutý' });
    },
  });
  expect(await run.call('echo', { words: 'hi' })).toEqual(text('You said hi'));
});

test('an older server that sends its messages to another origin is refused with that reason', async () => {
  await using server = await startMcpServer({
    intercept({ method }, answer) {
      if (method === 'POST') page(405, 'text/plain', '')(answer);
      else {
        answer.writeHead(200, { 'content-type': 'text/event-stream' });
        answer.write('event: endpoint\ndata: http://elsewhere.example/messages\n\n');
      }
      return true;
    },
  });
  await using run = startMcpRun(server);
  expect(await failureOf(run.connect())).toMatchObject({
    type: 'protocol',
    message: expect.stringContaining('http://elsewhere.example'),
  });
});
