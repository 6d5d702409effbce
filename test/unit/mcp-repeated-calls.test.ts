import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { openOutbound } from '../support/internet.ts';
import { echo, methodsOf, page, text } from '../support/mcp-answers.ts';
import { failureOf, startMcpRun } from '../support/mcp-run.ts';
import { type McpTestServer, type ReceivedRequest, startMcpServer } from '../support/mcp-server.ts';

const callsTo = ({ requests }: McpTestServer) =>
  methodsOf(requests).filter((method) => method === 'tools/call').length;

/** Answers every call so. */
const refusing =
  (write: (answer: ServerResponse, request: ReceivedRequest) => unknown) =>
  (request: ReceivedRequest, answer: ServerResponse): boolean => {
    if (request.body?.['method'] !== 'tools/call') return false;
    write(answer, request);
    return true;
  };

test('calls are sent again if the server has forgotten their session', async () => {
  await using server = await startMcpServer({ tools: { echo } });
  await using run = startMcpRun(server);
  await run.list();
  server.forgetSessions();
  const words = ['a', 'b', 'c'];
  expect(await Promise.all(words.map((each) => run.call('echo', { words: each })))).toEqual(
    words.map((each) => text(`You said ${each}`)),
  );
  expect(server.calls).toHaveLength(3);
  expect(server.sessions.opened).toHaveLength(2);
});

test('a call to a server that forgets every session is sent twice, not for ever', async () => {
  await using server = await startMcpServer({
    intercept: refusing(page(404, 'text/plain', 'Session not found')),
  });
  await using run = startMcpRun(server);
  expect(await failureOf(run.call('any'))).toMatchObject({ type: 'http', code: 404 });
  expect(callsTo(server)).toBe(2);
});

test.each([
  ['streamable', 400],
  ['sse', 404],
] as const)(
  'over %s a call that is answered with %i is not sent again, but the next is',
  async (transport, code) => {
    await using server = await startMcpServer({ transport, tools: { echo }, unknownSession: 400 });
    await using run = startMcpRun(server);
    await run.connect();
    server.forgetSessions();
    expect(await failureOf(run.call('echo'))).toMatchObject({ type: 'http', code });
    expect(callsTo(server)).toBe(1);
    expect(await run.call('echo', { words: 'hi' })).toEqual(text('You said hi'));
  },
);

test('a listing that is answered with 400 for its session is asked for again', async () => {
  await using server = await startMcpServer({ tools: { echo }, unknownSession: 400 });
  await using run = startMcpRun(server);
  await run.connect();
  server.forgetSessions();
  expect(await run.list()).toHaveLength(1);
});

test.each([
  [
    'answers it',
    ({ body }: ReceivedRequest) => JSON.stringify({ jsonrpc: '2.0', id: body?.['id'], result: {} }),
  ],
  ['answers it in a list', ({ body }: ReceivedRequest) => JSON.stringify([{ id: String(body?.['id']) }])],
  ['is too long to tell', () => 'x'.repeat(20_000)],
])('a call is not sent again if the body of its 404 %s', async (_, bodyFor) => {
  const intercept = refusing((answer, request) => page(404, 'application/json', bodyFor(request))(answer));
  await using server = await startMcpServer({ intercept });
  await using run = startMcpRun(server);
  expect(await failureOf(run.call('any'))).toMatchObject({ type: 'http', code: 404 });
  expect(callsTo(server)).toBe(1);
});

test('a call is not sent again if its 404 comes from where it was redirected to', async () => {
  await using server = await startMcpServer({
    intercept(request, answer) {
      if (request.path === '/moved') page(404, 'text/plain', 'Not found')(answer);
      else if (request.body?.['method'] === 'tools/call') answer.writeHead(307, { location: '/moved' }).end();
      else return false;
      return true;
    },
  });
  await using outbound = openOutbound({ allowPrivate: true });
  await using run = startMcpRun(server, { fetch: outbound.fetch });
  expect(await failureOf(run.call('any'))).toMatchObject({ type: 'http', code: 404 });
  expect(server.requests.filter(({ path }) => path === '/moved')).toHaveLength(1);
});

test('a call is not sent again if it was made without a session, though there is one by then', async () => {
  const { promise: hasSession, resolve } = Promise.withResolvers<void>();
  const serverInfo = { name: 'x', version: '1' };
  const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo, tools: [] };
  await using server = await startMcpServer({
    intercept({ body }, answer) {
      const { id, method } = body ?? {};
      const session = method === 'tools/list' ? { 'mcp-session-id': 'late' } : {};
      if (method === 'tools/call') void hasSession.then(() => answer.writeHead(404).end());
      else if (id === undefined) answer.writeHead(202).end();
      else {
        answer.writeHead(200, { 'content-type': 'application/json', ...session });
        answer.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      }
      return true;
    },
  });
  await using run = startMcpRun(server);
  await run.connect();
  const failure = failureOf(run.call('any'));
  await run.list();
  resolve();
  expect(await failure).toMatchObject({ type: 'http', code: 404 });
  expect(callsTo(server)).toBe(1);
});
