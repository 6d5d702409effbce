import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DemoModel, startDemoModel } from '../../src/demo/demo-model.ts';

const HOUR = 3_600_000;

let model: DemoModel;
beforeAll(async () => {
  model = await startDemoModel({ wordDelayMs: 0 });
});
afterAll(() => model.close());

const user = (content: string) => ({ role: 'user', content });
const tool = (name: string) => ({ type: 'function', function: { name } });

function post(body: string, baseUrl = model.baseUrl) {
  return fetch(`${baseUrl}/chat/completions`, { method: 'POST', body });
}

/** The `data:` lines of a stream, without what differs from one answer to the next. */
async function wireOf(body: object) {
  const response = await post(JSON.stringify({ model: 'demo', ...body }));
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const text = (await response.text()).replaceAll(/call_[0-9a-f]{24}/g, 'call_1');
  const events = text.split('\n\n').map((event) => event.replace(/^data: /, ''));
  expect(events.splice(-2)).toEqual(['[DONE]', '']);
  const chunks = events.map((event) => JSON.parse(event));
  expect(
    new Set(chunks.map(({ id, created, object, model }) => [id, created, object, model].join())).size,
  ).toBe(1);
  expect(chunks[0]).toMatchObject({
    object: 'chat.completion.chunk',
    model: 'demo',
    id: expect.stringMatching(/^chatcmpl-[0-9a-f]{24}$/),
  });
  return chunks.map(({ choices, usage }) => ({ choices, usage }));
}

/** An answer that waits an hour before its second word, read up to its first. */
async function openStream(baseUrl: string): Promise<IncomingMessage> {
  const sent = request(`${baseUrl}/chat/completions`, { method: 'POST', agent: false });
  sent.end(JSON.stringify({ model: 'demo', stream: true, messages: [user('Hello')] }));
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const bytes of response.iterator({ destroyOnReturn: false })) {
    text += String(bytes);
    if (text.includes('"content":"You"')) return response;
  }
  throw new Error('It ended before its first word.');
}

const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

/**
 * Ends when exactly so many timers run. The test runner has timers too, but none that last: a number read once may
 * count one of them. A timer of ours that stays lets the test time out.
 */
async function timersBecome(count: number) {
  while (timers() !== count) await setImmediate();
}

test('a text streams word by word, in the chunks OpenAI sends', async () => {
  const choice = (delta: object, finish_reason: string | null = null) => ({
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    usage: null,
  });
  const body = {
    stream: true,
    stream_options: { include_usage: true },
    messages: [user('what is my  name')],
  };
  expect(await wireOf(body)).toEqual([
    choice({ role: 'assistant', content: '', refusal: null }),
    ...['You', ' have', ' not', ' told', ' me', ' your', ' name', ' yet.'].map((content) =>
      choice({ content }),
    ),
    choice({}, 'stop'),
    { choices: [], usage: { prompt_tokens: 4, completion_tokens: 8, total_tokens: 12 } },
  ]);
});

test('calls stream with index, id and name first, then fragments of their arguments', async () => {
  const messages = [user('call get_weather with {"city": "New York"} and call get_time')];
  const choice = (delta: object, finish_reason: string | null = null) => ({
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    usage: undefined,
  });
  const opened = (index: number, name: string) =>
    choice({ tool_calls: [{ index, id: 'call_1', type: 'function', function: { name, arguments: '' } }] });
  const fragment = (index: number) => (text: string) =>
    choice({ tool_calls: [{ index, function: { arguments: text } }] });
  expect(await wireOf({ stream: true, tools: ['get_weather', 'get_time'].map(tool), messages })).toEqual([
    choice({ role: 'assistant', content: null, refusal: null }),
    opened(0, 'get_weather'),
    ...['{', '"city":', ' "New', ' York"}'].map(fragment(0)),
    opened(1, 'get_time'),
    ...['{', '}'].map(fragment(1)),
    choice({}, 'tool_calls'),
  ]);
});

test('the list of models holds the demo model alone', async () => {
  const response = await fetch(`${model.baseUrl}/models`);
  expect(await response.json()).toEqual({
    object: 'list',
    data: [{ id: 'demo', object: 'model', created: 0, owned_by: 'demo' }],
  });
});

test('what it refuses, it refuses in the shape of OpenAI', async () => {
  const refusal = async (sent: Promise<Response>) => {
    const response = await sent;
    return [response.status, JSON.parse(await response.text()).error];
  };
  const error = { type: 'invalid_request_error', param: null, code: null };
  const messages = [user('Hello')];
  const body = (fields: object) => post(JSON.stringify({ model: 'demo', messages, ...fields }));

  expect(await refusal(body({ model: 'gpt-9' }))).toEqual([
    404,
    {
      ...error,
      message: 'The model `gpt-9` does not exist. The demo model server has one model: `demo`.',
      code: 'model_not_found',
    },
  ]);
  const message = expect.any(String);
  expect(await refusal(post('{"model":'))).toEqual([400, { ...error, message }]);
  expect(await refusal(post('[]'))).toEqual([400, { ...error, message }]);
  expect(await refusal(body({ messages: [] }))).toEqual([400, { ...error, message, param: 'messages' }]);
  expect(await refusal(body({ messages: [{ role: 'user', content: 7 }] }))).toEqual([
    400,
    { ...error, message, param: 'messages[0].content' },
  ]);
  for (const tool_choice of ['required', tool('get_time')]) {
    expect(await refusal(body({ tool_choice }))).toEqual([400, { ...error, message, param: 'tool_choice' }]);
  }
  for (const path of ['/nothing', '/chat/completions']) {
    expect(await refusal(fetch(`${model.baseUrl}${path}`))).toEqual([
      404,
      { ...error, message: `Unknown request URL: GET /v1${path}.`, code: 'unknown_url' },
    ]);
  }
});

test('many streams at once keep their answers apart', async () => {
  const names = Array.from({ length: 300 }, (_, index) => `Ada${index}`);
  const answers = names.map(async (name) => {
    const messages = [user(`My name is ${name}`), user('What is my name?')];
    const chunks = await wireOf({ stream: true, messages });
    return chunks.map(({ choices: [choice] }) => choice.delta.content ?? '').join('');
  });
  expect(await Promise.all(answers)).toEqual(names.map((name) => `Your name is ${name}.`));
});

test('an upload that breaks off harms nobody', async () => {
  const sent = request(`${model.baseUrl}/chat/completions`, { method: 'POST', agent: false });
  sent.on('error', () => {}); // its own hanging up
  sent.setHeader('content-length', 1000).setHeader('expect', '100-continue').flushHeaders();
  await once(sent, 'continue');
  sent.write('{"model":');
  sent.destroy();
  expect((await fetch(`${model.baseUrl}/models`)).status).toBe(200);
});

test('a client that leaves ends its answer at once', async () => {
  const slow = await startDemoModel({ wordDelayMs: HOUR });
  const streams = await Promise.all([openStream(slow.baseUrl), openStream(slow.baseUrl)]);
  await timersBecome(2);
  for (const stream of streams) stream.destroy();
  await timersBecome(0);
  await slow.close();
});

test('close() cuts open streams and leaves nothing behind', async () => {
  const slow = await startDemoModel({ wordDelayMs: HOUR });
  const stream = await openStream(slow.baseUrl);
  await timersBecome(1);
  const cut = once(stream, 'error');
  await Promise.all([slow.close(), slow.close()]);
  expect((await cut)[0]).toMatchObject({ code: 'ECONNRESET' });
  await timersBecome(0);
  await expect(post('{}', slow.baseUrl)).rejects.toThrow('fetch failed');
});

test('a port that is taken is a failed start', async () => {
  const port = Number(new URL(model.baseUrl).port);
  await expect(startDemoModel({ port })).rejects.toMatchObject({ code: 'START_FAILED' });
});
