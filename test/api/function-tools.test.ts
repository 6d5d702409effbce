import { expect, test } from 'vitest';
import { type Answer, calls, chunk, says, streams } from '../support/chat-server.ts';
import { createResponse } from '../support/graphql.ts';
import { outputFor, pendingItems, run, sentTo } from '../support/run.ts';
import { collect } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';

const tools = [{ function: { name: 'weather' } }, { function: { name: 'clock' } }];
const input = { text: 'Hi' };

test('a function call ends the run, and its output brings the text', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([{ name: 'weather', arguments: '{"city":"Rome"}' }]), says('Sunny.'));
  const first = await run(app, { input, tools });
  const call = {
    __typename: 'FunctionCall',
    status: 'COMPLETED',
    callId: 'call_weather_0',
    name: 'weather',
    arguments: '{"city":"Rome"}',
    error: null,
  };
  expect(first).toMatchObject({ status: 'COMPLETED', output: [call], outputText: '' });
  expect(await pendingItems(app, first.id)).toMatchObject([{ ...call, id: first.output[0].id }]);

  const items = [outputFor('call_weather_0', '31 degrees')];
  const second = await run(app, { input: { items }, previousResponseId: first.id, tools });
  expect(second).toMatchObject({ status: 'COMPLETED', outputText: 'Sunny.' });
  expect(sentTo(app).messages).toEqual([
    { role: 'user', content: 'Hi' },
    assistant(null, ['call_weather_0', 'weather', '{"city":"Rome"}']),
    { role: 'tool', tool_call_id: 'call_weather_0', content: '31 degrees' },
  ]);
  expect(await pendingItems(app, first.id)).toEqual([]);
});

test('parallel calls whose arguments come in turns stay apart, each at its own index', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(
    streams(
      fragment(0, { id: 'a', function: { name: 'weather', arguments: '{"ci' } }),
      fragment(1, { id: 'b', function: { name: 'clock', arguments: '{"zo' } }),
      fragment(0, { function: { arguments: 'ty":1}' } }),
      fragment(1, { function: { arguments: 'ne":2}' } }),
      chunk({}, 'tool_calls'),
    ),
  );
  const { id, output } = await run(app, { input, tools });
  expect(output).toMatchObject([
    { callId: 'a', name: 'weather', arguments: '{"city":1}' },
    { callId: 'b', name: 'clock', arguments: '{"zone":2}' },
  ]);
  const events = await collect(app, { id });
  const added = events.filter(({ __typename }) => __typename === 'OutputItemAddedEvent');
  expect(added.map((event) => [event['outputIndex'], event['itemId']])).toEqual([
    [0, output[0].id],
    [1, output[1].id],
  ]);
});

test('text and two calls of one round go back as one assistant message and its tool messages, in call order', async () => {
  await using app = await startTestApp();
  const both = [
    { name: 'weather', arguments: '{}' },
    { name: 'clock', arguments: '{"zone":1}' },
  ];
  app.upstream.enqueue(calls(both, 'Let me see.'));
  const first = await run(app, { input, tools });
  expect(first.output.map((item: { __typename: string }) => item.__typename)).toEqual([
    'Message',
    'FunctionCall',
    'FunctionCall',
  ]);
  const items = [outputFor('call_clock_1', 'noon'), outputFor('call_weather_0', 'rain'), message('And?')];
  await run(app, { input: { items }, previousResponseId: first.id });
  expect(sentTo(app).messages).toEqual([
    { role: 'user', content: 'Hi' },
    assistant('Let me see.', ['call_weather_0', 'weather', '{}'], ['call_clock_1', 'clock', '{"zone":1}']),
    { role: 'tool', tool_call_id: 'call_weather_0', content: 'rain' },
    { role: 'tool', tool_call_id: 'call_clock_1', content: 'noon' },
    { role: 'user', content: 'And?' },
  ]);
});

test('the rounds of a branch stay separate assistant messages', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([{ name: 'weather', arguments: '{}' }]));
  app.upstream.enqueue(calls([{ name: 'clock', arguments: '{}' }]));
  const first = await run(app, { input, tools });
  const then = { items: [outputFor('call_weather_0', '1')] };
  const second = await run(app, { input: then, previousResponseId: first.id, tools });
  const last = { items: [outputFor('call_clock_0', '2')] };
  await run(app, { input: last, previousResponseId: second.id, tools });
  expect(sentTo(app).messages).toEqual([
    { role: 'user', content: 'Hi' },
    assistant(null, ['call_weather_0', 'weather', '{}']),
    { role: 'tool', tool_call_id: 'call_weather_0', content: '1' },
    assistant(null, ['call_clock_0', 'clock', '{}']),
    { role: 'tool', tool_call_id: 'call_clock_0', content: '2' },
  ]);
});

test('pendingItems is emptied by any stored continuation, and each branch gives outputs of its own', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([{ name: 'weather', arguments: '{}' }]));
  const first = await run(app, { input, tools });
  const answer = (text: string, more = {}) => ({
    input: { items: [outputFor('call_weather_0', text)] },
    previousResponseId: first.id,
    ...more,
  });
  await createResponse(app, answer('unseen', { store: false }));
  expect(await pendingItems(app, first.id)).toHaveLength(1);
  for (const text of ['sun', 'snow']) {
    await run(app, answer(text));
    expect(sentTo(app).messages.at(-1)).toMatchObject({ role: 'tool', content: text });
    expect(await pendingItems(app, first.id)).toEqual([]);
  }
});

test.each([
  ['one that is absent', [undefined]],
  ['an empty one', ['']],
  ['one that two calls share', ['same', 'same']],
])('the engine names a call itself for %s', async (_, ids) => {
  await using app = await startTestApp();
  app.upstream.enqueue(parallel(ids));
  const { id, output } = await run(app, { input, tools });
  const callIds: string[] = output.map((item: { callId: string }) => item.callId);
  expect(new Set(callIds).size).toBe(ids.length);
  if (ids.length > 1) expect(callIds[0]).toBe('same');
  expect(callIds.at(-1)).toMatch(/^call_[0-9a-f]{24}$/);

  const items = callIds.map((callId, index) => outputFor(callId, `${index}`));
  await run(app, { input: { items }, previousResponseId: id });
  const [, said, ...answers] = sentTo(app).messages;
  expect(said?.['tool_calls']).toMatchObject(callIds.map((callId) => ({ id: callId })));
  expect(answers.map((each) => each['tool_call_id'])).toEqual(callIds);
});

test('a call id that an earlier turn used is replaced', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(parallel(['again']), parallel(['again']));
  const first = await run(app, { input, tools });
  const items = [outputFor('again', '1')];
  const second = await run(app, { input: { items }, previousResponseId: first.id, tools });
  expect(second.output[0].callId).toMatch(/^call_[0-9a-f]{24}$/);
  const next = [outputFor(second.output[0].callId, '2')];
  await run(app, { input: { items: next }, previousResponseId: second.id });
  expect(sentTo(app).messages.filter(({ role }) => role === 'tool')).toMatchObject([
    { tool_call_id: 'again', content: '1' },
    { tool_call_id: second.output[0].callId, content: '2' },
  ]);
});

test.each(['{"city":', 'Rome, please', '[1,]', ''])(
  'the arguments %j pass through as they are',
  async (json) => {
    await using app = await startTestApp();
    app.upstream.enqueue(calls([{ name: 'weather', arguments: json }]));
    const first = await run(app, { input, tools });
    expect(first).toMatchObject({ status: 'COMPLETED', output: [{ arguments: json, status: 'COMPLETED' }] });
    const items = [outputFor('call_weather_0', 'no')];
    await run(app, { input: { items }, previousResponseId: first.id });
    expect(sentTo(app).messages[1]).toEqual(assistant(null, ['call_weather_0', 'weather', json || '{}']));
  },
);

test('running out of tokens in the middle of arguments leaves the call incomplete', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(
    streams(
      chunk({ content: 'I look' }),
      fragment(0, { id: 'a', function: { name: 'weather', arguments: '{"city":"Ro' } }),
      chunk({}, 'length'),
    ),
  );
  const response = await run(app, { input, tools });
  expect(response).toMatchObject({
    status: 'INCOMPLETE',
    incompleteDetails: { reason: 'MAX_OUTPUT_TOKENS' },
    output: [
      { __typename: 'Message', status: 'COMPLETED', text: 'I look' },
      { __typename: 'FunctionCall', status: 'INCOMPLETE', arguments: '{"city":"Ro' },
    ],
  });
  expect(await pendingItems(app, response.id)).toEqual([]);
  expect(app.upstream.exchanges).toHaveLength(1);
});

/** One delta with one fragment of a call. */
function fragment(index: number, call: object) {
  return chunk({ tool_calls: [{ index, ...call }] });
}

function parallel(ids: readonly (string | undefined)[]): Answer {
  const open = ids.map((id, index) =>
    fragment(index, { id, function: { name: 'weather', arguments: '{}' } }),
  );
  return streams(...open, chunk({}, 'tool_calls'));
}

function assistant(content: string | null, ...made: readonly (readonly string[])[]) {
  const toolCalls = made.map(([id, name, json]) => ({
    id,
    type: 'function',
    function: { name, arguments: json },
  }));
  return { role: 'assistant', content, tool_calls: toolCalls };
}

function message(text: string) {
  return { message: { content: { text } } };
}
