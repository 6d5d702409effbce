import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { expect, test } from 'vitest';
import { calls } from '../support/chat-server.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import type { ScriptedTools, ToolCall } from '../support/mcp-tools.ts';
import { run, sentTo } from '../support/run.ts';
import { dies, hangs, responds, type SearchAnswer } from '../support/search-server.ts';
import { startSearchingApp } from '../support/searching-app.ts';
import { startTestApp } from '../support/test-app.ts';
import { call, mcp } from '../support/tools.ts';
import { toldTo } from '../support/upstream-tools.ts';

const input = { text: 'Hi' };
const ECHO: ScriptedTools = { echo: { run: ({ text }) => `echo: ${text}` } };
const untilCancelled = (_: object, { signal }: ToolCall) =>
  new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('too late')));
const said = (name: string, json: string) => ({ name, arguments: json });
const failed = (type: string, code: number | null = null) => ({ status: 'FAILED', error: { type, code } });

interface Answered {
  readonly output?: string | null;
  readonly error?: { readonly message: string } | null;
}

/** What the model is to be told of calls: what went wrong with them, or what they gave. */
const toldOf = (items: readonly Answered[]) => items.map(({ output, error }) => error?.message ?? output);

test('arguments that are no object, and searches without a query, fail without a call; none at all are {}', async () => {
  await using app = await startSearchingApp();
  await using server = await startMcpServer({ tools: ECHO });
  const wrong = ['{"text":', '[1]', '"text"', 'null', '5'];
  const noQuery = ['', '{}', '{"query":" "}', '{"query":3}', '["query"]'];
  const round = [
    ...wrong.map((json) => said('echo', json)),
    ...noQuery.map((json) => said('web_search', json)),
    said('echo', ''),
  ].map((each, index) => ({ ...each, id: `call_${index}` }));
  app.upstream.enqueue(calls(round));
  const { status, output } = await run(app, { input, tools: [mcp('server', server), { webSearch: {} }] });
  expect(status).toBe('COMPLETED');
  const items = output.slice(1, -1);
  const invalid = failed('INVALID_ARGUMENTS');
  expect(items).toMatchObject([
    ...wrong.map((json) => ({ __typename: 'McpCall', arguments: json, ...invalid })),
    ...noQuery.map(() => ({ __typename: 'WebSearchCall', query: null, sources: [], ...invalid })),
    { __typename: 'McpCall', arguments: '', status: 'COMPLETED', output: 'echo: undefined' },
  ]);
  expect(server.calls.map(({ args }) => args)).toEqual([{}]);
  expect(app.search.searches).toEqual([]);
  expect(toldTo(app)).toEqual(toldOf(items));
  const again = sentTo(app).messages.find(({ role }) => role === 'assistant')?.['tool_calls'];
  const sent = [...wrong, '{}', ...noQuery.slice(1), '{}'];
  expect(again).toMatchObject(sent.map((json) => ({ function: { arguments: json } })));
});

test('whatever a tool answers with, its call ends, and the model is told in words', async () => {
  await using app = await startTestApp();
  const text = (words: string) => [{ type: 'text', text: words }];
  const tools: ScriptedTools = {
    refuses: { run: () => ({ content: text('No such user.'), isError: true }) },
    fails: { run: () => ({ content: [], isError: true }) },
    breaks: { run: () => Promise.reject(new McpError(-32_000, 'Broken.')) },
    empty: { run: () => [] },
    strange: { run: () => ({ content: 'none' }) },
    good: { run: () => 'good' },
  };
  const listed = [...Object.keys(tools), 'vanished'].map((name) => ({ name, inputSchema: {} }));
  await using server = await startMcpServer({ tools, list: () => ({ tools: listed }) });
  app.upstream.enqueue(calls(listed.map(({ name }) => call(name))));
  const { status, output } = await run(app, { input, tools: [mcp('server', server)] });
  expect(status).toBe('COMPLETED');
  const items = output.slice(1, -1);
  expect(items).toMatchObject([
    { name: 'refuses', ...failed('EXECUTION'), error: { message: 'No such user.' } },
    { name: 'fails', ...failed('EXECUTION'), error: { message: 'The tool failed and did not say why.' } },
    { name: 'breaks', ...failed('PROTOCOL', -32_000), error: { message: 'Broken.' } },
    { name: 'empty', status: 'COMPLETED', output: null, content: [] },
    { name: 'strange', status: 'COMPLETED', output: null, content: [] },
    { name: 'good', status: 'COMPLETED', output: 'good' },
    { name: 'vanished', ...failed('PROTOCOL', -32_602), error: { message: 'No tool vanished' } },
  ]);
  expect(toldTo(app)).toEqual(toldOf(items).map((words) => words ?? 'The tool gave no text.'));
});

test('a listing, a call and a search that take too long fail, are cancelled, and hold up nothing else', async () => {
  await using app = await startSearchingApp({ toolTimeoutMs: 1200 });
  await using silent = await startMcpServer({
    intercept: ({ body }) => body?.['method'] === 'tools/list', // and never answers
  });
  await using server = await startMcpServer({ tools: { ...ECHO, hang: { run: untilCancelled } } });
  app.search.enqueue(hangs);
  const round = [call('hang'), call('web_search', { query: 'a' }), call('echo', { text: 'b' })];
  app.upstream.enqueue(calls(round));
  const tools = [mcp('silent', silent), mcp('server', server), { webSearch: {} }];
  const { status, output } = await run(app, { input, tools });
  expect(status).toBe('COMPLETED');
  expect(output).toMatchObject([
    { serverLabel: 'silent', tools: [], ...failed('TIMEOUT') },
    { serverLabel: 'server', status: 'COMPLETED' },
    {
      name: 'hang',
      ...failed('TIMEOUT'),
      error: { message: 'The tool "hang" took longer than 1.2 seconds.' },
    },
    { query: 'a', sources: [], ...failed('TIMEOUT') },
    { name: 'echo', status: 'COMPLETED', output: 'echo: b' },
    { __typename: 'Message' },
  ]);
  expect(output[0].error.message).toMatch(/took longer than 1.2 seconds/);
  expect(output[3].error.message).toBe('The search took longer than 1.2 seconds.');
  expect(toldTo(app)).toEqual(toldOf(output.slice(2, 5)));
  await app.search.searches[0]?.closed;
  await expect.poll(() => server.calls.find(({ name }) => name === 'hang')?.signal.aborted).toBe(true);
});

test('unknown names among the calls of a server are answered behind all items of their round', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: ECHO });
  const echo = (text: string) => call('echo', { text });
  const round = [call('ghost'), echo('a'), call('spirit'), echo('b')];
  app.upstream.enqueue(calls(round, 'Well.'), calls([echo('c'), call('ghost')]));
  const { output } = await run(app, { input, tools: [mcp('server', server)] });
  const unknown = { __typename: 'FunctionCall', ...failed('UNKNOWN_TOOL') };
  const answer = (name: string) => `There is no tool "${name}". Offered are: echo.`;
  expect(output.slice(1)).toMatchObject([
    { __typename: 'Message', text: 'Well.' },
    { ...unknown, name: 'ghost' },
    { __typename: 'McpCall', output: 'echo: a' },
    { ...unknown, name: 'spirit' },
    { __typename: 'McpCall', output: 'echo: b' },
    { __typename: 'FunctionCallOutput', callId: output[2].callId, output: answer('ghost') },
    { __typename: 'FunctionCallOutput', callId: output[4].callId, output: answer('spirit') },
    { __typename: 'McpCall', output: 'echo: c' },
    { ...unknown, name: 'ghost' },
    { __typename: 'FunctionCallOutput', callId: output[9].callId },
    { __typename: 'Message', text: 'ok' },
  ]);
  const first = [answer('ghost'), 'echo: a', answer('spirit'), 'echo: b'];
  expect(toldTo(app)).toEqual([...first, 'echo: c', answer('ghost')]);
});

test('a search service that refuses, breaks, babbles or dies fails that search only, and no answer holds the key', async () => {
  const KEY = 'key-of-the-search-service';
  await using app = await startSearchingApp();
  const { baseUrl } = app.search;
  await using brave = await startTestApp({
    beside: app,
    config: { webSearch: { provider: 'brave', apiKey: KEY, baseUrl } },
  });
  const answers: { readonly [query: string]: SearchAnswer } = {
    refuses: responds(401, { message: `No such key: ${KEY}` }),
    breaks: responds(500, `<h1>${KEY}</h1>`),
    babbles: responds(200, '<html></html>'),
    shrugs: responds(200, { web: { results: 5 } }),
    dies,
  };
  const answer: SearchAnswer = (search) => answers[search.parameters['q'] ?? '']?.(search);
  app.search.enqueue(...Array(5).fill(answer));
  const queries = [...Object.keys(answers), 'works'];
  app.upstream.enqueue(
    calls(queries.slice(0, 5).map((query, at) => call('web_search', { query }, `call_${at}`))),
  );
  app.upstream.enqueue(calls([call('web_search', { query: 'works' })]));
  const response = await run(brave, { input, tools: [{ webSearch: {} }] });
  expect(response.status).toBe('COMPLETED');
  expect(response.output).toMatchObject([
    { query: 'refuses', sources: [], ...failed('HTTP', 401) },
    { query: 'breaks', ...failed('HTTP', 500) },
    { query: 'babbles', ...failed('PROTOCOL') },
    { query: 'shrugs', ...failed('PROTOCOL') },
    { query: 'dies', ...failed('HTTP') },
    { query: 'works', status: 'COMPLETED', sources: { length: 5 } },
    { __typename: 'Message' },
  ]);
  const told = toldTo(app);
  expect(told.slice(0, 5)).toEqual(toldOf(response.output.slice(0, 5)));
  expect(told[5]).toContain('[1] Page 1');
  expect(JSON.stringify([response, sentTo(app)])).not.toContain(KEY);
});

test('images of a result are content parts, and follow the tool messages of their round as a user message', async () => {
  await using app = await startTestApp();
  const image = (data: string) => ({ type: 'image', mimeType: 'image/png', data });
  const audio = { type: 'audio', mimeType: 'audio/wav', data: 'AAAA' };
  await using server = await startMcpServer({
    tools: {
      chart: {
        run: () => [
          { type: 'text', text: 'Two ' },
          image('AAAA'),
          { type: 'text', text: 'charts' },
          image('BBBB'),
        ],
      },
      photo: { run: () => [image('CCCC')] },
      record: { run: () => [audio] },
      table: { run: () => ({ content: [], structuredContent: { rows: [1, 2] } }) },
    },
  });
  const round = ['chart', 'table', 'photo', 'record'].map((name) => call(name));
  app.upstream.enqueue(calls(round));
  const { output } = await run(app, { input, tools: [mcp('server', server)] });
  const shown = (data: string) => ({ imageUrl: `data:image/png;base64,${data}`, detail: 'AUTO' });
  expect(output.slice(1, 5)).toMatchObject([
    { output: 'Two \ncharts', content: [{ text: 'Two \ncharts' }, shown('AAAA'), shown('BBBB')] },
    { output: '{"rows":[1,2]}', content: [{ __typename: 'InputText', text: '{"rows":[1,2]}' }] },
    { output: null, content: [{ __typename: 'InputImage', ...shown('CCCC') }] },
    { output: '[audio/wav, 3 bytes]', content: [{ text: '[audio/wav, 3 bytes]' }] },
  ]);
  expect(toldTo(app)).toEqual(['Two \ncharts', '{"rows":[1,2]}', expect.any(String), '[audio/wav, 3 bytes]']);
  const { messages } = sentTo(app);
  expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', ...Array(4).fill('tool'), 'user']);
  const sent = ['AAAA', 'BBBB', 'CCCC'].map((data) => `data:image/png;base64,${data}`);
  expect(messages.at(-1)?.content).toEqual(
    sent.map((url) => ({ type: 'image_url', image_url: { url, detail: 'auto' } })),
  );
});
