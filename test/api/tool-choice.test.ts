import { expect, test } from 'vitest';
import { calls, says } from '../support/chat-server.ts';
import { ask, createResponse } from '../support/graphql.ts';
import { outputFor, pendingItems, run, sentTo } from '../support/run.ts';
import { startTestApp } from '../support/test-app.ts';

const tools = [{ function: { name: 'weather' } }, { function: { name: 'clock' } }];
const input = { text: 'Hi' };
const weather = { name: 'weather', arguments: '{}' };
const clock = { name: 'clock', arguments: '{}' };
const ghost = { name: 'ghost', arguments: '{"a":1}' };
const UNKNOWN = {
  __typename: 'FunctionCall',
  status: 'FAILED',
  name: 'ghost',
  error: { type: 'UNKNOWN_TOOL', code: null },
};

test('a tool that was never offered fails, the model is told, and the run goes on', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([ghost]), says('Then without.'));
  const response = await run(app, { input, tools });
  const told = expect.stringContaining('There is no tool "ghost". Offered are: weather, clock.');
  expect(response).toMatchObject({
    status: 'COMPLETED',
    outputText: 'Then without.',
    usage: { outputTokens: 10 },
    output: [
      UNKNOWN,
      { __typename: 'FunctionCallOutput', status: 'COMPLETED', callId: 'call_ghost_0', output: told },
      { __typename: 'Message' },
    ],
  });
  expect(sentTo(app, 1).messages.slice(1)).toEqual([
    { role: 'assistant', content: null, tool_calls: [expect.objectContaining({ id: 'call_ghost_0' })] },
    { role: 'tool', tool_call_id: 'call_ghost_0', content: told },
  ]);
  expect(await pendingItems(app, response.id)).toEqual([]);
});

test('a call of an unknown tool beside one for the client is answered, and only the other one waits', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([ghost, weather, ghost]));
  const first = await run(app, { input, tools });
  expect(first).toMatchObject({
    status: 'COMPLETED',
    output: [
      UNKNOWN,
      { name: 'weather', status: 'COMPLETED', error: null },
      UNKNOWN,
      { __typename: 'FunctionCallOutput', callId: 'call_ghost_0' },
      { __typename: 'FunctionCallOutput', callId: first.output[2].callId },
    ],
  });
  expect(app.upstream.exchanges).toHaveLength(1);
  expect(await pendingItems(app, first.id)).toMatchObject([{ name: 'weather' }]);

  const items = [outputFor('call_weather_1', 'rain')];
  await run(app, { input: { items }, previousResponseId: first.id });
  const ids = ['call_ghost_0', 'call_weather_1', first.output[2].callId];
  const [, said, ...answers] = sentTo(app).messages;
  expect(said?.['tool_calls']).toMatchObject(ids.map((id) => ({ id })));
  expect(answers.map((each) => [each.role, each['tool_call_id']])).toEqual(ids.map((id) => ['tool', id]));
});

test.each([
  ['get weather!', 'get_weather_'],
  ['', 'unknown'],
  ['ä'.repeat(70), '_'.repeat(64)],
])('a call of %j, which no tool can be called, is shown as it is and goes back as %s', async (name, sent) => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([{ name, arguments: '{}', id: 'a' }]), says('ok'));
  const { output } = await createResponse(app, { input, tools, store: false });
  expect(output).toMatchObject([{ name, error: { type: 'UNKNOWN_TOOL' } }, { callId: 'a' }, { text: 'ok' }]);
  const items = [
    { functionCall: { callId: 'a', name, arguments: '{}' } },
    outputFor('a', output[1].output),
    { message: { role: 'ASSISTANT', content: { text: 'ok' } } },
  ];
  await run(app, { input: { items } });
  for (const index of [1, 2]) {
    const said = sentTo(app, index).messages.find(({ role }) => role === 'assistant');
    expect(said?.['tool_calls']).toEqual([
      { id: 'a', type: 'function', function: { name: sent, arguments: '{}' } },
    ]);
  }
});

test('MAX_ROUNDS ends a run that never comes to an end', async () => {
  await using app = await startTestApp({ config: { maxRounds: 3 } });
  app.upstream.enqueue(calls([ghost]), calls([ghost]), calls([ghost]), says('never asked'));
  const response = await run(app, { input, tools });
  expect(response).toMatchObject({
    status: 'INCOMPLETE',
    incompleteDetails: { reason: 'MAX_ROUNDS' },
    usage: { totalTokens: 45 },
  });
  expect(response.output).toHaveLength(6); // each call and what was said of it
  expect(new Set(response.output.map((item: { callId: string }) => item.callId)).size).toBe(3);
  expect(app.upstream.exchanges).toHaveLength(3);
});

test('parallelToolCalls: false is sent, and later calls of a round are dropped without a trace', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([weather, clock, ghost], 'One moment.'));
  const response = await run(app, { input, tools, parallelToolCalls: false });
  expect(sentTo(app)['parallel_tool_calls']).toBe(false);
  expect(response).toMatchObject({
    status: 'COMPLETED',
    output: [{ text: 'One moment.' }, { name: 'weather', arguments: '{}' }],
  });
  const items = [outputFor('call_weather_0', 'rain')];
  await run(app, { input: { items }, previousResponseId: response.id });
  expect(JSON.stringify(sentTo(app).messages)).not.toContain('clock');
  expect(sentTo(app)).not.toHaveProperty('parallel_tool_calls'); // settings are not inherited
});

const FORCED = { type: 'function', function: { name: 'clock' } };
const only = (mode: string) => ({ allowedTools: { mode, tools: [{ function: 'clock' }] } });

test.each([
  ['AUTO', { mode: 'AUTO' }, 'auto', 'auto', { mode: 'AUTO' }],
  ['NONE', { mode: 'NONE' }, 'none', 'none', { mode: 'NONE' }],
  ['REQUIRED', { mode: 'REQUIRED' }, 'required', 'auto', { mode: 'REQUIRED' }],
  ['one function', { function: 'clock' }, FORCED, 'auto', { mode: 'FUNCTION', name: 'clock' }],
  ['some tools', only('AUTO'), 'auto', 'auto', allowed('AUTO')],
  ['one of some tools', only('REQUIRED'), 'required', 'auto', allowed('REQUIRED')],
])(
  'toolChoice %s holds; only what it forces is for the first round',
  async (_, toolChoice, first, later, given) => {
    await using app = await startTestApp();
    app.upstream.enqueue(calls([ghost]), calls([ghost]), says('ok'));
    const { id } = await run(app, { input, tools, toolChoice });
    expect([0, 1, 2].map((index) => sentTo(app, index)['tool_choice'])).toEqual([first, later, later]);
    const offered = 'allowedTools' in toolChoice ? ['clock'] : ['weather', 'clock'];
    for (const index of [0, 1, 2]) {
      const shown = sentTo(app, index)['tools'] as { function: { name: string } }[];
      expect(shown.map((tool) => tool.function.name)).toEqual(offered);
    }
    const query = `query Choice($id: ID!) {
    response(id: $id) {
      tools { ... on FunctionTool { name } }
      toolChoice { mode name allowedToolsMode allowedTools { name } }
    }
  }`;
    const { response } = await ask(app, query, { id });
    const empty = { name: null, allowedToolsMode: null, allowedTools: null };
    expect(response.toolChoice).toEqual({ ...empty, ...given });
    expect(response.tools).toEqual([{ name: 'weather' }, { name: 'clock' }]);
  },
);

test('a tool that allowedTools leaves out is unknown to the model', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([weather, clock]));
  const response = await run(app, { input, tools, toolChoice: only('AUTO') });
  expect(response.output).toMatchObject([
    { name: 'weather', status: 'FAILED', error: { type: 'UNKNOWN_TOOL' } },
    { name: 'clock', status: 'COMPLETED' },
    { __typename: 'FunctionCallOutput', output: expect.stringContaining('Offered are: clock.') },
  ]);
});

test('without tools neither tools nor a choice is sent, and whatever is called is unknown', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([weather]), says('ok'));
  const response = await run(app, { input });
  for (const key of ['tools', 'tool_choice', 'parallel_tool_calls'])
    expect(sentTo(app)).not.toHaveProperty(key);
  expect(response.output[1].output).toBe('There is no tool "weather". No tools are offered.');
});

function allowed(mode: string) {
  return { mode: 'ALLOWED_TOOLS', allowedToolsMode: mode, allowedTools: [{ name: 'clock' }] };
}
