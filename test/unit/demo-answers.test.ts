import OpenAI from 'openai';
import type {
  ChatCompletionCreateParams,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DemoModel, startDemoModel } from '../../src/demo/demo-model.ts';

const WHAT_I_AM = 'I am the demo model: I repeat what I am told, and am no language model.';

let model: DemoModel;
let client: OpenAI;
beforeAll(async () => {
  model = await startDemoModel({ wordDelayMs: 0 });
  client = new OpenAI({ baseURL: model.baseUrl, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => model.close());

type Extra = Partial<Omit<ChatCompletionCreateParams, 'stream' | 'messages'>>;

/** The answer as the openai package reads it: whole and streamed, which must be the same. */
async function ask(said: string | ChatCompletionMessageParam[], extra: Extra = {}) {
  const messages = typeof said === 'string' ? [{ role: 'user' as const, content: said }] : said;
  const body = { model: 'demo', messages, ...extra };
  const whole = await client.chat.completions.create({ ...body, stream: false });
  const streamed = await client.chat.completions
    .stream({ ...body, stream: true, stream_options: { include_usage: true } })
    .finalChatCompletion();
  const [answer, sameAnswer] = [whole, streamed].map(({ choices: [choice], usage }) => ({
    text: choice?.message.content ?? null,
    calls: (choice?.message.tool_calls ?? []).map((call) =>
      call.type === 'function' ? [call.function.name, call.function.arguments] : [],
    ),
    finish: choice?.finish_reason,
    usage: [usage?.prompt_tokens, usage?.completion_tokens, usage?.total_tokens],
  }));
  expect(sameAnswer).toEqual(answer);
  if (answer === undefined) throw new Error('There was no answer.');
  return answer;
}

const tool = (name: string) => ({ type: 'function' as const, function: { name, parameters: {} } });
const tools = [tool('get_weather'), tool('get_time')];
const user = (content: string) => ({ role: 'user' as const, content });
const named = (name: string) => ({ type: 'function' as const, function: { name } });

test('what it has no rule for it repeats, and says what it is', async () => {
  expect(await ask('Hello')).toEqual({
    text: `You said: "Hello". ${WHAT_I_AM}`,
    calls: [],
    finish: 'stop',
    usage: [1, 19, 20],
  });
});

test('it remembers the name that a user message told last', async () => {
  const ada = user('Hi! my NAME is Ada.');
  expect((await ask([ada])).text).toBe(
    'Nice to meet you, Ada. Ask me "What is my name?" later in this conversation.',
  );
  const asked = user('And what is my name?');
  expect((await ask([ada, { role: 'assistant', content: 'My name is Bob' }, asked])).text).toBe(
    'Your name is Ada.',
  );
  expect((await ask([ada, user('Now my name is Zoë-Ann, please'), asked])).text).toBe(
    'Your name is Zoë-Ann.',
  );
  expect((await ask([asked])).text).toBe('You have not told me your name yet.');
});

test('arguments are exactly the JSON that the message holds', async () => {
  const json = '{"a": {"b":"} \\" {"},  "c":[1, {}]}';
  expect(await ask(`Please call get_time with ${json}, thanks`, { tools })).toMatchObject({
    text: null,
    calls: [['get_time', json]],
    finish: 'tool_calls',
  });
});

test('several calls in one message are made in parallel, unless that is forbidden', async () => {
  const said =
    'call get_weather with {"city":"Oslo"} and call get_time, also call get_time with {"call get_x, then":1}';
  const calls = [
    ['get_weather', '{"city":"Oslo"}'],
    ['get_time', '{}'],
    ['get_time', '{"call get_x, then":1}'],
  ];
  expect((await ask(said, { tools })).calls).toEqual(calls);
  expect((await ask(said, { tools, parallel_tool_calls: false })).calls).toEqual(calls.slice(0, 1));
});

test('a call that cannot be made is explained instead', async () => {
  const text = async (said: string, extra: Extra = {}) => (await ask(said, extra)).text;
  expect(await text('call nope with {}', { tools })).toBe(
    'I was not offered a function called nope. I was offered: get_weather, get_time.',
  );
  expect(await text('call get_time and call nope', { tools })).toMatch(
    /^I was not offered a function called nope\./,
  );
  expect(await text('Call get_time.')).toBe(
    'I was not offered a function called get_time. I was offered no functions.',
  );
  for (const broken of ['{"city":', '{city}', 'Oslo', '[1]', '']) {
    expect(await text(`call get_time with ${broken}`, { tools })).toBe(
      'I cannot call get_time: what follows "with" is not a JSON object.',
    );
  }
  expect(await text('Call me Ishmael.', { tools })).toBe(`You said: "Call me Ishmael.". ${WHAT_I_AM}`);
});

test('tool outputs are quoted with the names of their functions', async () => {
  const call = (id: string, name: string) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: '{}' },
  });
  const messages: ChatCompletionMessageParam[] = [
    user('call get_weather and call get_time'),
    { role: 'assistant', tool_calls: [call('c1', 'get_weather'), call('c2', 'get_time')] },
    { role: 'tool', tool_call_id: 'c2', content: [{ type: 'text', text: '12:00' }] },
    { role: 'tool', tool_call_id: 'c1', content: '7 °C,  rain\n' },
  ];
  const quoted = 'get_time answered: 12:00\nget_weather answered: 7 °C,  rain\n';
  expect((await ask(messages, { tools })).text).toBe(quoted);
  const image = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AA==' } };
  expect((await ask([...messages, { role: 'user', content: [image] }])).text).toBe(
    `${quoted}\nThis came with 1 image.`,
  );
  expect((await ask([...messages, user('Thanks')])).text).toBe(`You said: "Thanks". ${WHAT_I_AM}`);
});

test('tool_choice decides whether it may, must or must not call', async () => {
  const calls = async (said: string, tool_choice: Extra['tool_choice']) =>
    (await ask(said, { tools, tool_choice })).calls;
  expect(await calls('call get_time', 'none')).toEqual([]);
  expect(await calls('Hello', 'auto')).toEqual([]);
  expect(await calls('Hello', 'required')).toEqual([['get_weather', '{}']]);
  expect(await calls('call get_time with {"a":1}', 'required')).toEqual([['get_time', '{"a":1}']]);
  expect(await calls('call get_weather', named('get_time'))).toEqual([['get_time', '{}']]);
});

test('a JSON format is answered with a small object that fits it', async () => {
  const json = async (schema: Record<string, unknown>) => {
    const json_schema = { name: 'thing', schema };
    const { text } = await ask('Hello you', { response_format: { type: 'json_schema', json_schema } });
    return JSON.parse(text ?? '');
  };
  expect((await ask('Hello', { response_format: { type: 'json_object' } })).text).toBe(
    '{"you_said":"Hello"}',
  );
  const person = {
    type: 'object',
    required: ['name', 'extra'],
    properties: {
      name: { type: 'string' },
      age: { type: ['null', 'integer'] },
      alive: { type: 'boolean' },
      tags: { type: 'array', items: {} },
      mood: { enum: ['good', 'bad'] },
      kind: { const: null },
      address: { $ref: '#/$defs/Address' },
      pet: { anyOf: [{ type: 'number' }, { type: 'null' }] },
      parent: { $ref: '#' },
      partner: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
    },
    $defs: { Address: { type: 'object', properties: { street: { type: 'string' } } } },
  };
  expect(await json(person)).toEqual({
    name: 'Hello you',
    age: 0,
    alive: true,
    tags: [],
    mood: 'good',
    kind: null,
    address: { street: 'Hello you' },
    pet: 0,
    partner: null,
    extra: 'Hello you',
  });
  const next = (index: number) => ({ $ref: `#/$defs/${index + 1}` });
  const fan = (index: number) => ({
    properties: Object.fromEntries([...'abcdefgh'].map((key) => [key, next(index)])),
  });
  const $defs = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [index, fan(index)]));
  expect(JSON.stringify(await json({ ...fan(0), $defs })).length).toBeLessThan(10_000);
});

test('the parts of a message are joined, and what is no text is counted', async () => {
  const image = { type: 'image_url' as const, image_url: { url: 'https://example.com/a.png' } };
  const file = {
    type: 'file' as const,
    file: { file_data: 'data:text/plain;base64,QQ==', filename: 'a.txt' },
  };
  const text = (text: string) => ({ type: 'text' as const, text });
  const said = async (content: (typeof image | typeof file | ReturnType<typeof text>)[]) =>
    (await ask([{ role: 'user', content }])).text;
  expect(await said([text('Look'), image, text('here')])).toBe(
    `You said: "Look here" with 1 image. ${WHAT_I_AM}`,
  );
  expect(await said([image, image, file])).toBe(`You said: "" with 2 images and 1 file. ${WHAT_I_AM}`);
});

test('it stops after the tokens it was given, counting words and fragments', async () => {
  expect(await ask('Hello', { max_tokens: 3 })).toEqual({
    text: 'You said: "Hello".',
    calls: [],
    finish: 'length',
    usage: [1, 3, 4],
  });
  expect((await ask('Hello', { max_completion_tokens: 19 })).finish).toBe('stop');
  expect(
    await ask('call get_time with {"a":1} and call get_weather', { tools, max_tokens: 2 }),
  ).toMatchObject({
    calls: [['get_time', '{"a":']],
    finish: 'length',
  });
  const messages = [{ role: 'system' as const, content: 'Be kind.' }, user('My name is Ada'), user('Hello')];
  expect((await ask(messages)).usage).toEqual([7, 19, 26]);
});
