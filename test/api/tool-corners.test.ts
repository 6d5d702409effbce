import { expect, test, vi } from 'vitest';
import { startBehindProxy } from '../support/behind-proxy.ts';
import { calls, chunk, says, streams } from '../support/chat-server.ts';
import { CREATE, create, createResponse, readResponse, send } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import type { ToolCall } from '../support/mcp-tools.ts';
import { pendingItems, run, sentTo } from '../support/run.ts';
import { startSearchingApp } from '../support/searching-app.ts';
import { startTestApp } from '../support/test-app.ts';
import { answer, call, mcp, mcpAsking, typesOf } from '../support/tools.ts';
import { toldTo } from '../support/upstream-tools.ts';

const input = { text: 'Hi' };
const untilAborted = (_: object, { signal }: ToolCall) =>
  new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('too late')));

test('an approval that failed, was given again and then cut off is told as what it is', async () => {
  await using app = await startTestApp();
  await using bank = await startMcpServer({ tools: { pay: { run: untilAborted } }, token: 'right-token' });
  const paying = (authorization: string) => [mcpAsking('bank', bank, { authorization })];
  app.upstream.enqueue(calls([call('pay')]));
  const asked = await run(app, { input, tools: paying('right-token') });
  const [{ id }] = await pendingItems(app, asked.id);
  const items = [answer(id, true)];
  const refused = await run(app, {
    previousResponseId: asked.id,
    input: { items },
    tools: paying('wrong-token'),
  });
  expect(toldTo(app)).toEqual([expect.stringContaining('401')]);

  const caller = new AbortController();
  const again = { previousResponseId: refused.id, input: { items }, tools: paying('right-token') };
  const left = send(app, CREATE, { input: again }, caller.signal).catch(() => null);
  await bank.called(1);
  caller.abort();
  await left;
  const cut = await vi.waitUntil(
    async () => {
      const query = `query ($id: ID!) { response(id: $id) { continuations { nodes { id status } } } }`;
      const { data } = await send(app, query, { id: refused.id });
      return data.response.continuations.nodes.find(
        ({ status }: { readonly status: string }) => status === 'CANCELLED',
      );
    },
    { timeout: 5000 },
  );
  await run(app, { previousResponseId: cut.id, input });
  expect(toldTo(app)).toEqual([expect.stringContaining('whether it took effect is not known')]);
});

test('an approval that came to nothing can be followed by a denial, whose reason is told', async () => {
  await using app = await startTestApp();
  await using bank = await startMcpServer({ tools: { pay: {} }, token: 'right-token' });
  app.upstream.enqueue(calls([call('pay')]));
  const tools = [mcpAsking('bank', bank, { authorization: 'right-token' })];
  const asked = await run(app, { input, tools });
  const [{ id }] = await pendingItems(app, asked.id);
  const without = [mcpAsking('bank', bank)];
  const failed = await run(app, {
    previousResponseId: asked.id,
    input: { items: [answer(id, true)] },
    tools: without,
  });
  await run(app, {
    previousResponseId: failed.id,
    input: { items: [answer(id, false, 'Changed my mind.')] },
  });
  expect(toldTo(app)).toEqual([expect.stringContaining('Changed my mind.')]);
  expect(await pendingItems(app, asked.id)).toEqual([]);
});

test('a denial whose response is deleted can be given again; a call that was made is never made again', async () => {
  await using app = await startTestApp();
  await using bank = await startMcpServer({ tools: { pay: {} } });
  app.upstream.enqueue(calls([call('pay'), call('pay')]));
  const tools = [mcpAsking('bank', bank)];
  const asked = await run(app, { input, tools });
  const ids = (await pendingItems(app, asked.id)).map(({ id }: { readonly id: string }) => id);
  const items = [answer(ids[0], false), answer(ids[1], true)];
  const { id } = await run(app, { previousResponseId: asked.id, input: { items }, tools });
  const remove = 'mutation ($id: ID!) { deleteResponse(input: { id: $id }) { deletedId } }';
  expect((await send(app, remove, { id })).data.deleteResponse).toEqual({ deletedId: id });
  expect(await pendingItems(app, asked.id)).toMatchObject([{ id: ids[0] }]);
  expect(bank.calls).toHaveLength(1);
});

test('a response that did not complete can be continued without outputs for the calls that it left', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: { hang: { run: untilAborted } } });
  const tools = [{ function: { name: 'weather' } }, mcp('server', server)];
  app.upstream.enqueue(calls([call('weather'), call('hang')]));
  const { id } = await createResponse(app, { input, tools, stream: true });
  await server.called(1);
  await app.app.stop();
  await using later = await startTestApp({ beside: app });
  const failed = await readResponse(later, id);
  expect(failed).toMatchObject({ status: 'FAILED' });
  expect(typesOf(failed.output)).toEqual(['McpListTools', 'FunctionCall', 'McpCall']);
  const next = await run(later, { previousResponseId: id, input: { text: 'Go on.' } });
  expect(next.status).toBe('COMPLETED');
  expect(sentTo(app).messages.map(({ role }) => role)).toEqual(['user', 'user']);
});

test('sources that a client gives back are numbered behind those that the conversation has', async () => {
  await using app = await startSearchingApp();
  app.upstream.enqueue(calls([call('web_search', { query: 'a' })]), says('ok'));
  const tools = [{ webSearch: {} }];
  const first = await run(app, { input, tools });
  app.upstream.enqueue(says('Old [1], new [6].'));
  const given = {
    webSearchCall: { query: 'b', sources: [{ url: 'https://given.example/', title: 'Given' }] },
  };
  const items = [given, { message: { content: { text: 'And?' } } }];
  const next = await run(app, { previousResponseId: first.id, input: { items } });
  expect(toldTo(app)[1]).toContain('[6] Given');
  expect(next.output[0].content[0].annotations).toMatchObject([
    { url: first.output[0].sources[0].url },
    { url: 'https://given.example/' },
  ]);
});

test('toolChoice NONE calls nothing, whatever the model does', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: { echo: {} } });
  app.upstream.enqueue(calls([call('echo')]), says('Well.'));
  const response = await run(app, { input, tools: [mcp('server', server)], toolChoice: { mode: 'NONE' } });
  expect(response.output.slice(1)).toMatchObject([
    { __typename: 'FunctionCall', error: { type: 'UNKNOWN_TOOL' } },
    { output: 'There is no tool "echo". No tools are offered.' },
    { text: 'Well.' },
  ]);
  expect(server.calls).toEqual([]);
});

test('the order and the values of headers make no other request of the same idempotency key', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer();
  const request = (headers: object) => ({
    input,
    idempotencyKey: 'one',
    tools: [mcp('server', server, { headers })],
  });
  const first = await createResponse(app, request({ 'x-a': '1', 'X-B': '2' }));
  expect((await createResponse(app, request({ 'x-b': '3', 'x-a': '1' }))).id).toBe(first.id);
  const { errors } = await create(app, request({ 'x-a': '1' }));
  expect(errors).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH' }]);
});

test('what the tools of one response give has a limit, and what goes beyond is told', async () => {
  await using app = await startTestApp({ config: { toolTimeoutMs: 25_000 } });
  const big = 'x'.repeat(3.5 * 1024 * 1024);
  await using server = await startMcpServer({ tools: { dump: { run: () => big } } });
  app.upstream.enqueue(calls(Array.from({ length: 5 }, () => call('dump'))), says('Enough.'));
  const { id } = await createResponse(app, { input, tools: [mcp('server', server)] });
  const query = `query ($id: ID!) { response(id: $id) { status output { status ... on McpCall { error { type } } } } }`;
  const { status, output } = (await send(app, query, { id })).data.response;
  expect(status).toBe('COMPLETED');
  const outcomes = output
    .slice(1, 6)
    .map((item: { error: { type: string } | null }) => item.error?.type ?? 'ok');
  expect(outcomes.sort()).toEqual(['LIMIT', 'ok', 'ok', 'ok', 'ok']);
});

test('a citation that comes after a refusal does not move on to the next text', async () => {
  await using app = await startTestApp();
  const citation = { url: 'https://a.example', title: 'A', start_index: 0, end_index: 3 };
  const open = { index: 0, id: 'c', function: { name: 'ghost', arguments: '{}' } };
  app.upstream.enqueue(
    streams(
      chunk({ content: 'Text' }),
      chunk({ refusal: 'No.' }),
      chunk({ annotations: [{ type: 'url_citation', url_citation: citation }] }),
      chunk({ tool_calls: [open] }),
      chunk({ content: 'x' }),
      chunk({}, 'tool_calls'),
    ),
  );
  const response = await run(app, { input });
  const parts = response.output.flatMap(({ content }: { readonly content?: object[] }) => content ?? []);
  expect(parts.find(({ text }: { readonly text?: string }) => text === 'x')).toMatchObject({
    annotations: [],
  });
});

test('no more than 32 servers, and no call id that the conversation knows already', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: { echo: {} } });
  const many = Array.from({ length: 33 }, (_, index) => mcp(`server-${index}`, server));
  expect((await create(app, { input, tools: many })).errors).toMatchObject([
    { code: 'INVALID_INPUT', path: ['tools'] },
  ]);
  app.upstream.enqueue(calls([call('echo', {}, 'c1')]), says('ok'));
  const first = await run(app, { input, tools: [mcp('server', server)] });
  const items = [
    { functionCall: { callId: 'c1', name: 'f', arguments: '{}' } },
    { functionCallOutput: { callId: 'c1', output: { text: 'x' } } },
  ];
  const { errors } = await create(app, { previousResponseId: first.id, input: { items } });
  expect(errors).toMatchObject([{ path: ['input', 'items', '0', 'functionCall', 'callId'] }]);
});

test('an approval is not used up by a call that was stopped before it was made', async () => {
  await using behind = await startBehindProxy();
  const { app, proxy } = behind;
  let freezes = false;
  let isFrozen = false;
  await using bank = await startMcpServer({
    tools: { pay: {} },
    intercept: ({ body }) => {
      if (body?.['method'] !== 'notifications/initialized' || !freezes) return false;
      proxy.freeze();
      isFrozen = true;
      return false;
    },
  });
  app.upstream.enqueue(calls([call('pay')]));
  const tools = [mcpAsking('bank', bank)];
  const asked = await run(app, { input, tools });
  const [{ id }] = await pendingItems(app, asked.id);
  freezes = true; // from the next session on, the mark of the call cannot be committed
  const caller = new AbortController();
  const request = { previousResponseId: asked.id, input: { items: [answer(id, true)] }, tools };
  const left = send(app, CREATE, { input: request }, caller.signal).catch(() => null);
  await vi.waitUntil(() => isFrozen, { interval: 5 });
  caller.abort();
  await left;
  proxy.thaw();
  await vi.waitUntil(async () => (await pendingItems(app, asked.id)).length === 1, { timeout: 10_000 });
  expect(bank.calls).toEqual([]);
});
