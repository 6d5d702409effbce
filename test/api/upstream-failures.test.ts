import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  type Answer,
  chunk,
  diesAfter,
  hangsAfter,
  json,
  openStream,
  says,
  sse,
  startChatServer,
  write,
} from '../support/chat-server.ts';
import { createResponse, readResponse, send } from '../support/graphql.ts';
import { collect } from '../support/stream.ts';
import { SUITE_CANARY } from '../support/suite-canary.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const KEY = SUITE_CANARY;

/** Runs to the end, and checks that the log, the row and the answer tell the same story and none tells the key. */
async function failedRun(app: TestApp, more: object = {}) {
  const began = performance.now();
  const response = await createResponse(app, { input: { text: 'Hi' }, ...more });
  const milliseconds = performance.now() - began;
  expect(await readResponse(app, response.id)).toEqual(response);
  const events = await collect(app, { id: response.id });
  expect(events.at(-1)?.['response']).toEqual(response);
  expect(JSON.stringify(events)).not.toContain(KEY);
  const stored = await app.database.sql`select * from responses, events where responses.id = response_id`;
  expect(JSON.stringify(stored)).not.toContain(KEY);
  expect(response).toMatchObject({ status: 'FAILED', completedAt: expect.any(String) });
  return { response, milliseconds };
}

const error = (message: string, more: object = {}) => ({ error: { message, ...more } });

test.each<[string, Answer, object]>([
  [
    'a wrong key (401)',
    json(401, error(`Incorrect API key provided: ${KEY}.`)),
    { code: 'server_error', message: 'Incorrect API key provided: [redacted].' },
  ],
  [
    'a forbidden model (403)',
    json(403, error('Not for you.')),
    { code: 'server_error', message: 'Not for you.' },
  ],
  [
    'an unknown model (404)',
    json(404, error('The model `nope` does not exist.', { code: 'model_not_found' })),
    { code: 'invalid_prompt', message: 'The model `nope` does not exist.' },
  ],
  [
    'too long a prompt (400)',
    json(
      400,
      error("This model's maximum context length is 8192 tokens.", { code: 'context_length_exceeded' }),
    ),
    { code: 'context_length_exceeded', message: "This model's maximum context length is 8192 tokens." },
  ],
  [
    'too long a prompt that only the words name (400)',
    json(400, error('the request exceeds the available context size')),
    { code: 'context_length_exceeded', message: 'the request exceeds the available context size' },
  ],
  ['another 400', json(400, error('No such role.')), { code: 'invalid_prompt', message: 'No such role.' }],
  ['a 422', json(422, { detail: 'Bad field.' }), { code: 'invalid_prompt', message: 'Bad field.' }],
])('%s fails the run at once, in the words of the upstream', async (_, answer, expected) => {
  await using app = await startTestApp();
  app.upstream.enqueue(answer);
  const { response, milliseconds } = await failedRun(app);
  expect(response).toMatchObject({ error: expected, output: [], outputText: '', usage: null });
  expect(app.upstream.exchanges).toHaveLength(1);
  expect(milliseconds).toBeLessThan(2000);
});

test('the words of an upstream are cut at 500 characters', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(json(400, error('long '.repeat(400))));
  const { response } = await failedRun(app);
  expect(response.error.message).toBe('long '.repeat(100));
});

test.each(['retry-after-ms', 'retry-after'])(
  '429 twice with %s, then fine: the run completes',
  async (name) => {
    await using app = await startTestApp();
    const busy = json(429, error('Slow down.'), { [name]: name === 'retry-after' ? '0' : '30' });
    app.upstream.enqueue(busy, busy, says('At last'));
    expect(await createResponse(app, { input: { text: 'Hi' } })).toMatchObject({
      status: 'COMPLETED',
      outputText: 'At last',
    });
    expect(app.upstream.exchanges).toHaveLength(3);
  },
);

test.each([
  [429, 'rate_limit_exceeded', 'Slow down.'],
  [500, 'server_error', 'Something broke.'],
  [503, 'server_error', 'Loading the model.'],
])('%i for ever fails the run as %s after three tries', async (status, code, message) => {
  await using app = await startTestApp();
  const busy = json(status, error(message), { 'retry-after-ms': '10' });
  app.upstream.enqueue(busy, busy, busy);
  const { response } = await failedRun(app);
  expect(response.error).toEqual({ code, message });
  expect(app.upstream.exchanges).toHaveLength(3);
});

test('an upstream that is down fails the run within its retries, and models is null with code UPSTREAM', async () => {
  const gone = await startChatServer();
  await gone[Symbol.asyncDispose]();
  const upstream = { baseUrl: gone.baseUrl, apiKey: KEY };
  await using app = await startTestApp({ config: { upstream } });
  const [{ response, milliseconds }, models] = await Promise.all([
    failedRun(app),
    send(app, '{ __typename models { name } }'),
  ]);
  expect(response.error).toEqual({
    code: 'server_error',
    message: expect.stringMatching(/^The connection to the model failed: .*ECONNREFUSED/),
  });
  expect(milliseconds).toBeLessThan(6000);
  expect(models.data).toEqual({ __typename: 'Query', models: null });
  expect(models.errors).toMatchObject([{ path: ['models'], extensions: { code: 'UPSTREAM' } }]);
});

const BROKEN: Answer = async (exchange) => {
  openStream(exchange);
  await write(exchange, sse(chunk({ content: 'Half a ' })));
  await write(exchange, sse(chunk({ content: 'sentence' })));
  exchange.answer.end('data: {"choices":[{"delta":\n\n');
};

const REPORTS: Answer = async (exchange) => {
  openStream(exchange);
  await write(exchange, sse(chunk({ content: 'Half a ' }), chunk({ content: 'sentence' })));
  exchange.answer.end(sse({ error: { message: `Overloaded, ${KEY}`, code: 429 } }));
};

test.each<[string, Answer, object]>([
  [
    'dies in mid-stream',
    diesAfter('Half a ', 'sentence'),
    { code: 'server_error', message: expect.stringContaining('The connection to the model failed') },
  ],
  [
    'falls silent in mid-stream',
    hangsAfter('Half a ', 'sentence'),
    { code: 'server_error', message: 'The model sent nothing for 0.3 seconds.' },
  ],
  [
    'sends broken JSON in mid-stream',
    BROKEN,
    { code: 'server_error', message: 'The model sent something that is not JSON.' },
  ],
  [
    'reports an error in mid-stream',
    REPORTS,
    { code: 'rate_limit_exceeded', message: 'Overloaded, [redacted]' },
  ],
])('an upstream that %s: FAILED, and what it said is kept as INCOMPLETE', async (_, answer, expected) => {
  await using app = await startTestApp({ config: { modelIdleTimeoutMs: 300 } });
  app.upstream.enqueue(answer);
  const { response, milliseconds } = await failedRun(app);
  expect(response).toMatchObject({
    error: expected,
    outputText: 'Half a sentence',
    output: [{ __typename: 'Message', status: 'INCOMPLETE', text: 'Half a sentence' }],
  });
  expect(app.upstream.exchanges).toHaveLength(1);
  expect(milliseconds).toBeLessThan(2000);
  await app.upstream.exchanges[0]?.closed;
});

test('a call whose arguments broke off is kept as INCOMPLETE and waits for nobody', async () => {
  await using app = await startTestApp();
  const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"a":' } };
  app.upstream.enqueue(async (exchange) => {
    openStream(exchange);
    await write(exchange, sse(chunk({ tool_calls: [call] })));
    exchange.answer.destroy();
  });
  const { response } = await failedRun(app, { tools: [{ function: { name: 'look' } }] });
  expect(response.output).toMatchObject([{ name: 'look', arguments: '{"a":', status: 'INCOMPLETE' }]);
  const pending = await send(app, 'query ($id: ID!) { response(id: $id) { pendingItems { id } } }', response);
  expect(pending.data.response.pendingItems).toEqual([]);
});

test('an upstream that never answers fails the run when the time is up', async () => {
  await using app = await startTestApp({ config: { modelIdleTimeoutMs: 300 } });
  app.upstream.enqueue(({ closed }) => closed);
  const { response, milliseconds } = await failedRun(app);
  expect(response.error).toEqual({
    code: 'server_error',
    message: 'The model sent nothing for 0.3 seconds.',
  });
  expect(milliseconds).toBeLessThan(2000);
  await app.upstream.exchanges[0]?.closed;
});

test('a model that keeps talking is not cut off, however long the whole takes', async () => {
  await using app = await startTestApp({ config: { modelIdleTimeoutMs: 400 } });
  app.upstream.enqueue(async (exchange) => {
    openStream(exchange);
    for (let word = 0; word < 6; word++) {
      await delay(120); // the pace of the model
      await write(exchange, sse(chunk({ content: `${word}` })));
    }
    exchange.answer.end(sse(chunk({}, 'stop')));
  });
  expect(await createResponse(app, { input: { text: 'Hi' } })).toMatchObject({
    status: 'COMPLETED',
    outputText: '012345',
  });
});

test.each<[string, Answer]>([
  [
    'an HTML page',
    ({ answer }) => {
      answer.writeHead(200, { 'content-type': 'text/html' });
      answer.end('<!doctype html><title>Welcome to the proxy</title>\n');
    },
  ],
  [
    'an empty stream',
    ({ answer }) => void answer.writeHead(200, { 'content-type': 'text/event-stream' }).end(),
  ],
  ['JSON that is none', json(200, '{"choices": [')],
  ['a JSON string', json(200, '"hello"')],
])('%s in place of an answer fails the run', async (_, answer) => {
  await using app = await startTestApp();
  app.upstream.enqueue(answer);
  const { response } = await failedRun(app);
  expect(response).toMatchObject({ error: { code: 'server_error', message: /\w/ }, output: [] });
});
