import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repeated } from '../support/canaries.ts';
import { calls } from '../support/chat-server.ts';
import { create } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { startSearchServer } from '../support/search-server.ts';
import { collect } from '../support/stream.ts';
import { REQUEST_CANARY, SEARCH_CANARY, SUITE_CANARY } from '../support/suite-canary.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { call, mcp } from '../support/tools.ts';

// Every app of the suite is searched for its secrets when it ends: here they meet what goes wrong nowhere else.

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const input = { text: 'Hi' };

/** A server that speaks no TLS. */
async function startPlain() {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => socket.end(bytes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { host: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void server.close() };
}

test('a model that cannot be found or speaks no TLS is told of without its key or login', async () => {
  await using plain = await startPlain();
  const failures = ['nowhere.invalid', plain.host].map(async (host) => {
    const upstream = {
      baseUrl: `https://user:${SUITE_CANARY}@${host}/v1?key=${SUITE_CANARY}`,
      apiKey: SUITE_CANARY,
    };
    await using lost = await startTestApp({ beside: app, config: { upstream } });
    const { response } = await create(lost, { input });
    expect(response.error.message).toMatch(/^The connection to the model failed/);
    expect(JSON.stringify(await collect(lost, { id: response.id }))).not.toContain(SUITE_CANARY);
    return response.status;
  });
  expect(await Promise.all(failures)).toEqual(['FAILED', 'FAILED']);
});

test.each(['brave', 'tavily'] as const)(
  '%s that repeats the key that it refuses tells it to nobody',
  async (provider) => {
    await using search = await startSearchServer();
    const webSearch = { provider, apiKey: SEARCH_CANARY, baseUrl: search.baseUrl };
    await using searching = await startTestApp({ beside: app, config: { webSearch } });
    const body = JSON.stringify({ message: repeated(SEARCH_CANARY) });
    search.enqueue(
      ({ answer }) => void answer.writeHead(403, { 'content-type': 'application/json' }).end(body),
    );
    app.upstream.enqueue(calls([call('web_search', { query: 'fish' })]));
    const { response } = await create(searching, { input, tools: [{ webSearch: {} }] });
    expect(response.output).toMatchObject([{ __typename: 'WebSearchCall', error: { message: /./ } }, {}]);
    expect(JSON.stringify(search.searches.map(({ headers }) => headers))).toContain(SEARCH_CANARY);
  },
);

const json = (answer: ServerResponse, body: unknown, status = 200) =>
  void answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** How an MCP server fails that repeats whatever it was sent. */
const FAILURES: { readonly [how: string]: (answer: ServerResponse, id: unknown) => void } = {
  'with 500 and HTML': (answer) =>
    void answer.writeHead(500, { 'content-type': 'text/html' }).end(`<p>${repeated(REQUEST_CANARY)}`),
  'with an error of JSON-RPC': (answer, id) =>
    json(answer, { jsonrpc: '2.0', id, error: { code: -32000, message: repeated(REQUEST_CANARY) } }),
  'with JSON that is none of the protocol': (answer) =>
    json(answer, { [REQUEST_CANARY]: repeated(REQUEST_CANARY) }),
  'with JSON that breaks off': (answer) =>
    void answer.writeHead(200, { 'content-type': 'application/json' }).end(`{"${repeated(REQUEST_CANARY)}`),
  'with a stream that is none': (answer) =>
    void answer
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .end(`event: message\ndata: ${repeated(REQUEST_CANARY)}\n\n`),
  'with a redirect': (answer) =>
    void answer
      .writeHead(307, { location: `http://nowhere.invalid/?sent=${encodeURIComponent(REQUEST_CANARY)}` })
      .end(),
  'with a type that is none': (answer) =>
    void answer.writeHead(200, { 'content-type': `text/${REQUEST_CANARY}` }).end(repeated(REQUEST_CANARY)),
  'without a word': (answer) => void answer.destroy(),
};

test.each(Object.keys(FAILURES))('an MCP server that fails %s tells nobody what it was sent', async (how) => {
  const sent: string[] = [];
  await using server = await startMcpServer({
    intercept: ({ headers, body }, answer) => {
      sent.push(JSON.stringify(headers));
      FAILURES[how]?.(answer, body?.['id'] ?? null);
      return true;
    },
  });
  const secrets = { authorization: REQUEST_CANARY, headers: { 'x-key': REQUEST_CANARY } };
  const { response, errors } = await create(app, { input, tools: [mcp('bad', server, secrets)] });
  expect(errors).toEqual([]);
  expect(response.output[0]).toMatchObject({
    __typename: 'McpListTools',
    error: { message: expect.any(String) },
  });
  expect(sent[0]).toContain(REQUEST_CANARY);
});
