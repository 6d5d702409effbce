import { expect, test, vi } from 'vitest';
import { calls } from '../support/chat-server.ts';
import { ask, CREATE, createResponse, readResponse, send } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import type { ScriptedTools, ToolCall } from '../support/mcp-tools.ts';
import { run, sentTo } from '../support/run.ts';
import { hangs } from '../support/search-server.ts';
import { type SearchingApp, startSearchingApp } from '../support/searching-app.ts';
import { collect } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { call, mcp, typesOf } from '../support/tools.ts';
import { toldTo } from '../support/upstream-tools.ts';

const input = { text: 'Hi' };
const toolTimeoutMs = 60_000; // longer than any test
const HANGING: ScriptedTools = {
  echo: { run: ({ text }) => `echo: ${text}` },
  hang: {
    run: (_, { signal }: ToolCall) =>
      new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('too late'))),
  },
};
const ROUND = [call('echo', { text: 'a' }), call('hang'), call('web_search', { query: 'b' })];
const ENDED = [
  { __typename: 'McpListTools', status: 'COMPLETED' },
  { name: 'echo', status: 'COMPLETED', output: 'echo: a' },
  { name: 'hang', status: 'INCOMPLETE', output: null, error: null },
  { __typename: 'WebSearchCall', status: 'INCOMPLETE', query: 'b', error: null },
];

/** The only response there is, once it fits. */
async function onlyResponse(
  app: TestApp,
  fits: (response: Awaited<ReturnType<typeof readResponse>>) => boolean,
) {
  return vi.waitUntil(
    async () => {
      const { responses } = await ask(app, '{ responses(first: 1) { nodes { id } } }');
      const response = responses.nodes[0] && (await readResponse(app, responses.nodes[0].id));
      return response && fits(response) && response;
    },
    { timeout: 5000, interval: 20 },
  );
}

const isOver = ({ status }: { readonly status: string }) => status !== 'IN_PROGRESS';

/** Resolves when one call has its result, and another one and a search hang. */
async function untilItHangs(app: SearchingApp, called: (count: number) => Promise<ToolCall>) {
  await Promise.all([called(2), app.search.received(1)]);
  await onlyResponse(app, ({ output }) => output[1]?.status === 'COMPLETED');
}

test('a client that leaves during calls cancels them, and the run with them; what was done is kept', async () => {
  await using app = await startSearchingApp({ toolTimeoutMs });
  await using server = await startMcpServer({ tools: HANGING });
  app.upstream.enqueue(calls(ROUND));
  app.search.enqueue(hangs);
  const request = { input, tools: [mcp('server', server), { webSearch: {} }] };
  const caller = new AbortController();
  const left = send(app, CREATE, { input: request }, caller.signal).catch(() => 'left');
  await untilItHangs(app, server.called);
  caller.abort();
  expect(await left).toBe('left');
  await app.search.searches[0]?.closed;
  await expect.poll(() => server.calls.find(({ name }) => name === 'hang')?.signal.aborted).toBe(true);
  const response = await onlyResponse(app, isOver);
  expect(response).toMatchObject({ status: 'CANCELLED', error: null, output: ENDED });
  expect((await collect(app, { id: response.id })).at(-1)?.['response']).toEqual(response);
  expect(app.upstream.exchanges).toHaveLength(1);
  await expect.poll(() => server.sessions.closed).toEqual(server.sessions.opened);

  await run(app, { input: { text: 'Go on.' }, previousResponseId: response.id });
  expect(toldTo(app)).toEqual(['echo: a']); // the others are left out
  expect(sentTo(app).messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'user']);
  expect(server.calls).toHaveLength(2);
});

test('a client that leaves during a listing cancels it', async () => {
  await using app = await startTestApp({ config: { toolTimeoutMs } });
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const intercept = ({ body }: { readonly body: { readonly [key: string]: unknown } | null }) => {
    if (body?.['method'] !== 'tools/list') return false;
    resolve();
    return true;
  };
  await using silent = await startMcpServer({ intercept });
  await using server = await startMcpServer({ tools: HANGING });
  const request = { input, tools: [mcp('silent', silent), mcp('server', server)] };
  const caller = new AbortController();
  const left = send(app, CREATE, { input: request }, caller.signal).catch(() => 'left');
  await asked;
  await onlyResponse(app, ({ output }) => output[1]?.status === 'COMPLETED');
  caller.abort();
  expect(await left).toBe('left');
  const response = await onlyResponse(app, isOver);
  expect(response.status).toBe('CANCELLED');
  expect(response.output).toMatchObject([
    { serverLabel: 'silent', status: 'INCOMPLETE', tools: [], error: null },
    { serverLabel: 'server', status: 'COMPLETED', error: null },
  ]);
  expect((await collect(app, { id: response.id })).at(-1)?.['response']).toEqual(response);
  expect(app.upstream.exchanges).toHaveLength(0);
});

test('a server that is stopped during calls fails the run, with its items closed, and cancels the calls', async () => {
  await using app = await startSearchingApp({ toolTimeoutMs });
  const webSearch = { provider: 'searxng', baseUrl: app.search.baseUrl } as const;
  await using other = await startTestApp({ beside: app, config: { webSearch, toolTimeoutMs } });
  await using server = await startMcpServer({ tools: HANGING });
  app.upstream.enqueue(calls(ROUND));
  app.search.enqueue(hangs);
  const request = { input, tools: [mcp('server', server), { webSearch: {} }] };
  const { id } = await createResponse(other, { ...request, stream: true });
  await untilItHangs(app, server.called);
  await other.app.stop();
  await app.search.searches[0]?.closed;
  await expect.poll(() => server.calls.find(({ name }) => name === 'hang')?.signal.aborted).toBe(true);
  const response = await readResponse(app, id);
  expect(response).toMatchObject({ status: 'FAILED', error: { code: 'server_error' }, output: ENDED });
  expect(response.error.message).toContain('stopped');
  expect((await collect(app, { id })).at(-1)?.['response']).toEqual(response);
  await run(app, { input: { text: 'Go on.' }, previousResponseId: id });
  expect(toldTo(app)).toEqual(['echo: a']);
});

test('the caller who waits when the server stops during a call is told of the failure', async () => {
  await using app = await startTestApp({ config: { toolTimeoutMs } });
  await using other = await startTestApp({ beside: app, config: { toolTimeoutMs } });
  await using server = await startMcpServer({ tools: HANGING });
  app.upstream.enqueue(calls([call('hang')]));
  const waiting = createResponse(other, { input, tools: [mcp('server', server)] });
  await server.called(1);
  await other.app.stop();
  const response = await waiting;
  expect(typesOf(response.output)).toEqual(['McpListTools', 'McpCall']);
  expect(response).toMatchObject({ status: 'FAILED', output: [{}, { status: 'INCOMPLETE' }] });
  expect(await readResponse(app, response.id)).toEqual(response);
});
