import { expect, test } from 'vitest';
import { calls, chunk, diesAfter, feed, says, streams } from '../support/chat-server.ts';
import { create, createResponse } from '../support/graphql.ts';
import { outputFor, pendingItems, run, sentTo } from '../support/run.ts';
import { startTestApp } from '../support/test-app.ts';

const tools = [{ function: { name: 'weather' } }];

test('the second turn is given what the first one asked and answered', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('Nice to meet', ' you, Ann.'), says('Ann.'));
  const first = await run(app, text('I am Ann.'));
  const second = await run(app, text('Who am I?', { previousResponseId: first.id }));
  expect(second).toMatchObject({ outputText: 'Ann.', previousResponseId: first.id });
  expect(sentTo(app).messages).toEqual([
    { role: 'user', content: 'I am Ann.' },
    { role: 'assistant', content: 'Nice to meet you, Ann.' },
    { role: 'user', content: 'Who am I?' },
  ]);
});

test('two continuations of one response do not see each other', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('1'), says('2a'), says('2b'), says('3b'));
  const root = await run(app, text('root'));
  await run(app, text('a', { previousResponseId: root.id }));
  const other = await run(app, text('b', { previousResponseId: root.id }));
  await run(app, text('c', { previousResponseId: other.id }));
  expect(contents(app)).toEqual(['root', '1', 'b', '2b', 'c']);
});

test('instructions go first and are not inherited', async () => {
  await using app = await startTestApp();
  const first = await run(app, text('1', { instructions: 'Be brief.' }));
  expect(sentTo(app).messages).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: '1' },
  ]);
  const second = await run(app, text('2', { previousResponseId: first.id }));
  expect(contents(app)).toEqual(['1', 'ok', '2']);
  await run(app, text('3', { previousResponseId: second.id, instructions: 'Be long.' }));
  expect(contents(app)).toEqual(['Be long.', '1', 'ok', '2', 'ok', '3']);
});

test('a user message that is said again is kept', async () => {
  await using app = await startTestApp();
  const first = await run(app, { input: { items: [user('again'), user('again')] } });
  await run(app, text('again', { previousResponseId: first.id }));
  expect(contents(app)).toEqual(['again', 'again', 'ok', 'again']);
});

test('a failed response can be continued: what it had said is sent', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(diesAfter('Half a', ' word'));
  const failed = await run(app, text('1'));
  expect(failed).toMatchObject({ status: 'FAILED', output: [{ status: 'INCOMPLETE', text: 'Half a word' }] });
  await run(app, text('2', { previousResponseId: failed.id }));
  expect(contents(app)).toEqual(['1', 'Half a word', '2']);
});

test('an incomplete response can be continued: its unfinished calls are not sent and need no output', async () => {
  await using app = await startTestApp();
  const half = { index: 0, id: 'half', function: { name: 'weather', arguments: '{"ci' } };
  app.upstream.enqueue(streams(chunk({ content: 'So' }), chunk({ tool_calls: [half] }), chunk({}, 'length')));
  const cut = await run(app, text('1', { tools }));
  expect(cut).toMatchObject({ status: 'INCOMPLETE', output: [{ text: 'So' }, { status: 'INCOMPLETE' }] });
  await run(app, text('2', { previousResponseId: cut.id }));
  expect(sentTo(app).messages).toEqual([
    { role: 'user', content: '1' },
    { role: 'assistant', content: 'So' },
    { role: 'user', content: '2' },
  ]);
  const input = { items: [outputFor('half', 'x')] };
  expect((await create(app, { input, previousResponseId: cut.id })).errors).toMatchObject([
    { code: 'INVALID_INPUT', path: ['input', 'items', '0', 'functionCallOutput', 'callId'] },
  ]);
});

test('a response in flight cannot be continued until it has ended', async () => {
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const started = await createResponse(app, text('1', { stream: true }));
  await upstream.say('Hi');
  const early = text('2', { previousResponseId: started.id });
  expect(await create(app, early)).toEqual({
    response: null,
    errors: [
      {
        __typename: 'ConflictError',
        code: 'PREVIOUS_RESPONSE_NOT_ENDED',
        message: expect.stringContaining(started.id),
        path: ['previousResponseId'],
      },
    ],
  });
  expect(app.upstream.exchanges).toHaveLength(1);
});

test.each(['resp_00000000000000000000000000000000', 'resp_1', '', 'x\0y', '\ud800', 'msg_1'])(
  'continuing %j, which is no response, is refused',
  async (previousResponseId) => {
    await using app = await startTestApp();
    expect(await create(app, text('1', { previousResponseId }))).toMatchObject({
      response: null,
      errors: [
        { __typename: 'NotFoundError', code: 'PREVIOUS_RESPONSE_NOT_FOUND', path: ['previousResponseId'] },
      ],
    });
    expect(app.upstream.exchanges).toHaveLength(0);
  },
);

test('every open call needs exactly one output, and every wrong one is named', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([call('weather'), call('weather')]));
  const first = await run(app, text('1', { tools }));
  const [one, two] = first.output.map((item: { callId: string }) => item.callId);
  const outcomeOf = async (...items: object[]) => {
    const { response, errors } = await create(app, { input: { items }, previousResponseId: first.id });
    expect(response).toBeNull();
    expect(new Set(errors.map(({ code }: { code: string }) => code))).toEqual(new Set(['INVALID_INPUT']));
    return errors.map(({ path, message }: { path: string[]; message: string }) => [path.join('.'), message]);
  };
  const missing = (id: string) => ['input.items', expect.stringContaining(`"${id}"`)];
  const wrong = (index: number) => [`input.items.${index}.functionCallOutput.callId`, expect.anything()];
  expect(await outcomeOf(user('never mind'))).toEqual([missing(one), missing(two)]);
  expect(await outcomeOf(outputFor(two, 'x'))).toEqual([missing(one)]);
  expect(await outcomeOf(outputFor(one, 'x'), outputFor(two, 'y'), outputFor(one, 'z'))).toEqual([wrong(2)]);
  expect(await outcomeOf(outputFor('who', 'x'), outputFor(one, 'x'))).toEqual([wrong(0), missing(two)]);
  expect(await pendingItems(app, first.id)).toHaveLength(2);

  const both = { items: [outputFor(one, 'x'), outputFor(two, 'y')] };
  const second = await run(app, { input: both, previousResponseId: first.id });
  const again = { input: { items: [outputFor(one, 'x')] }, previousResponseId: second.id };
  expect((await create(app, again)).errors).toMatchObject([{ message: expect.stringContaining('already') }]);
  expect(app.upstream.exchanges).toHaveLength(2);
});

test('reasoning is shown and stored, but not sent back', async () => {
  await using app = await startTestApp();
  const thought = chunk({ reasoning_content: 'secretly' });
  app.upstream.enqueue(streams(thought, chunk({ content: 'Hello' }), chunk({}, 'stop')));
  const first = await run(app, text('1'));
  expect(first.output[0]).toMatchObject({ __typename: 'Reasoning', content: [{ text: 'secretly' }] });
  const reasoning = { content: ['private'], summary: ['p'], encryptedContent: 'AAAA' };
  await run(app, { input: { items: [{ reasoning }, user('2')] }, previousResponseId: first.id });
  expect(contents(app)).toEqual(['1', 'Hello', '2']);
});

test('turns that only reasoning stands between stay two assistant messages', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('one'), says('two'));
  const first = await run(app, text('1'));
  const items = [{ reasoning: { content: ['hm'] } }];
  const second = await run(app, { input: { items }, previousResponseId: first.id });
  await run(app, text('3', { previousResponseId: second.id }));
  expect(contents(app)).toEqual(['1', 'one', 'two', '3']);
});

test('what the client put into the mouth of the model stays apart from the call that it then made', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([call('weather')]));
  const items = [user('1'), { message: { role: 'ASSISTANT', content: { text: 'So' } } }];
  const first = await run(app, { input: { items }, tools });
  const input = { items: [outputFor('call_weather_0', 'sun')] };
  await run(app, { input, previousResponseId: first.id });
  expect(sentTo(app).messages.map(({ role, content }) => [role, content])).toEqual([
    ['user', '1'],
    ['assistant', 'So'],
    ['assistant', null],
    ['tool', 'sun'],
  ]);
});

test('a chain of fifty turns is sent whole and in order', async () => {
  await using app = await startTestApp();
  let previousResponseId: string | null = null;
  for (let turn = 0; turn < 50; turn++) {
    app.upstream.enqueue(says(`answer ${turn}`));
    const response: { id: string } = await createResponse(
      app,
      text(`question ${turn}`, { previousResponseId }),
    );
    previousResponseId = response.id;
  }
  const turns = Array.from({ length: 50 }, (_, turn) => [`question ${turn}`, `answer ${turn}`]).flat();
  expect(contents(app)).toEqual(turns.slice(0, -1));
});

test('items given directly are sent as if the model had said them', async () => {
  await using app = await startTestApp();
  const assistant = (content: object) => ({ message: { role: 'ASSISTANT', content } });
  const items = [
    { message: { role: 'DEVELOPER', content: { text: 'Rules.' } } },
    user('1'),
    { reasoning: { content: ['thinking'] } },
    assistant({ text: 'I look.' }),
    { functionCall: { callId: 'a', name: 'weather', arguments: '{"x":1}' } },
    { functionCall: { callId: 'b', name: 'weather', arguments: '' } },
    outputFor('b', 'rain'),
    outputFor('a', 'sun'),
    assistant({ parts: [{ text: 'Sun' }, { text: '!' }, { refusal: 'No more.' }] }),
    assistant({ text: 'Anything else?' }),
    { message: { role: 'SYSTEM', content: { text: 'Hurry.' } } },
  ];
  await run(app, { input: { items } });
  const made = (id: string, json: string) => ({
    id,
    type: 'function',
    function: { name: 'weather', arguments: json },
  });
  expect(sentTo(app).messages).toEqual([
    { role: 'system', content: 'Rules.' },
    { role: 'user', content: '1' },
    { role: 'assistant', content: 'I look.', tool_calls: [made('a', '{"x":1}'), made('b', '{}')] },
    { role: 'tool', tool_call_id: 'a', content: 'sun' },
    { role: 'tool', tool_call_id: 'b', content: 'rain' },
    { role: 'assistant', content: 'Sun!', refusal: 'No more.' },
    { role: 'assistant', content: 'Anything else?' },
    { role: 'system', content: 'Hurry.' },
  ]);
});

function text(said: string, more: object = {}) {
  return { input: { text: said }, ...more };
}

function user(said: string) {
  return { message: { content: { text: said } } };
}

function call(name: string) {
  return { name, arguments: '{}' };
}

function contents(app: Parameters<typeof sentTo>[0]) {
  return sentTo(app).messages.map(({ content }) => content);
}
