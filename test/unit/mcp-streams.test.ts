import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { answers, page, resultEvent, stream, text } from '../support/mcp-answers.ts';
import { failureOf, startMcpRun } from '../support/mcp-run.ts';
import { type ReceivedRequest, startMcpServer } from '../support/mcp-server.ts';
import type { ToolCall } from '../support/mcp-tools.ts';

const TOKEN = 'sk-live-0123456789';

describe('a stream that breaks off', () => {
  const EVENT = 'id: 5\nretry: 1\ndata: \n\n';
  const done = { content: [{ type: 'text', text: 'done' }] };

  test('is asked for again, with the last event, until the answer comes', async () => {
    let asked: ReceivedRequest;
    const rests: ((answer: ServerResponse) => void)[] = [
      (answer) => answer.socket?.destroy(),
      (answer) =>
        stream('id: 6\ndata: {"jsonrpc":"2.0","method":"notifications/x"}\n\nid: 7\ndata: {"torn')(answer),
      (answer) => stream(resultEvent(asked, done))(answer),
    ];
    await using server = await startMcpServer({
      intercept: answers((answer, request) => {
        if (request.method === 'GET') return rests.shift()?.(answer);
        asked = request;
        answer.writeHead(200, { 'content-type': 'text/event-stream' });
        answer.write(`${EVENT}data: {"torn`, () => answer.socket?.destroy());
      }),
    });
    await using run = startMcpRun(server, { authorization: TOKEN });
    expect(await run.call('any')).toEqual(text('done'));
    const gets = server.requests.filter(({ method }) => method === 'GET');
    expect(gets.map(({ headers }) => headers['last-event-id'])).toEqual(['5', '5', '6']);
    for (const { headers } of gets) {
      expect(headers).toMatchObject({
        authorization: `Bearer ${TOKEN}`,
        'mcp-session-id': server.sessions.opened[0],
        accept: 'text/event-stream',
      });
    }
  });

  test.each([
    ['refuses', page(404, 'text/plain', 'Gone'), { type: 'http', code: 404 }],
    ['has none', page(405, 'text/plain', ''), { type: 'http', code: 405 }],
    ['gives something else', page(200, 'text/html', ''), { type: 'protocol' }],
  ])('fails the call if the server %s, and does not make it again', async (_, write, failure) => {
    await using server = await startMcpServer({
      intercept: answers((answer, { method }) => (method === 'GET' ? write : stream(EVENT))(answer)),
    });
    await using run = startMcpRun(server, { timeoutMs: 60_000 });
    expect(await failureOf(run.call('any'))).toMatchObject(failure);
    expect(server.requests.filter(({ body }) => body?.['method'] === 'tools/call')).toHaveLength(1);
  });

  test('goes on where a server has kept its events', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const patient = {
      async run(_: object, { report, closeStream }: ToolCall) {
        await report(1);
        closeStream();
        await asked;
        return 'done in the end';
      },
    };
    const intercept = ({ headers }: ReceivedRequest) => {
      if (headers['last-event-id'] !== undefined) resolve();
      return false;
    };
    await using server = await startMcpServer({ tools: { patient }, keepsEvents: true, intercept });
    await using run = startMcpRun(server);
    expect(await run.call('patient')).toEqual(text('done in the end'));
    expect(server.calls).toHaveLength(1);
  });

  test('is not asked for once the call has been given up', async () => {
    await using server = await startMcpServer({
      intercept: answers((answer, { method }) => {
        if (method === 'POST') stream(EVENT.replace('retry: 1', 'retry: 300'))(answer);
      }),
    });
    await using run = startMcpRun(server, { timeoutMs: 100 });
    expect(await failureOf(run.call('any'))).toMatchObject({ type: 'timeout' });
    await run.close();
    expect(server.requests.map(({ method }) => method)).not.toContain('GET');
  });
});
