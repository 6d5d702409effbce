import { afterAll, beforeAll, expect, test } from 'vitest';
import { calls, chunk, says, streams, USAGE } from '../support/chat-server.ts';
import { ask } from '../support/graphql.ts';
import { run, sentTo } from '../support/run.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const input = { text: 'Hi' };

const SETTINGS = `query Settings($id: ID!) {
  response(id: $id) {
    model instructions parallelToolCalls maxOutputTokens temperature topP topLogprobs
    presencePenalty frequencyPenalty metadata store stream serviceTier safetyIdentifier promptCacheKey
    tools { ... on FunctionTool { name description parameters strict } }
    toolChoice { mode name }
    text { format { type name description schema strict } verbosity }
    reasoning { effort summary }
  }
}`;

const PLAIN = {
  model: 'test-model',
  instructions: null,
  parallelToolCalls: true,
  maxOutputTokens: null,
  temperature: null,
  topP: null,
  topLogprobs: null,
  presencePenalty: null,
  frequencyPenalty: null,
  metadata: {},
  store: true,
  stream: false,
  serviceTier: null,
  safetyIdentifier: null,
  promptCacheKey: null,
  tools: [],
  toolChoice: { mode: 'AUTO', name: null },
  text: {
    format: { type: 'TEXT', name: null, description: null, schema: null, strict: null },
    verbosity: null,
  },
  reasoning: null,
};

const SENT = {
  model: 'test-model',
  messages: [{ role: 'user', content: 'Hi' }],
  stream: true,
  stream_options: { include_usage: true },
};

const SCHEMA = { type: 'object', properties: { b: { enum: ['z', 1, null] }, a: true }, required: ['b'] };

test('what was not asked for is not sent', async () => {
  await using app = await startTestApp();
  const { id } = await run(app, { input });
  expect(sentTo(app)).toEqual(SENT);
  expect((await ask(app, SETTINGS, { id })).response).toEqual(PLAIN);
});

const FORMAT = { name: 'form_1', description: 'A form', schema: SCHEMA, strict: true };
const TOOL = { name: 'a-tool_1', description: 'Does', parameters: SCHEMA, strict: false };
const EMPTY_SCHEMA = { type: 'object', properties: {} };

/** What is asked for, what is sent, and, where it differs, what the response gives back. */
const PARAMETERS: [object, object, object?][] = [
  [{ model: 'other' }, { model: 'other' }],
  [{ instructions: 'Be kind.' }, { messages: [{ role: 'system', content: 'Be kind.' }, ...SENT.messages] }],
  [{ maxOutputTokens: 16 }, { max_tokens: 16 }],
  [{ temperature: 0 }, { temperature: 0 }],
  [{ temperature: 2 }, { temperature: 2 }],
  [{ topP: 0.25 }, { top_p: 0.25 }],
  [{ topLogprobs: 0 }, { logprobs: true, top_logprobs: 0 }],
  [{ topLogprobs: 20 }, { logprobs: true, top_logprobs: 20 }],
  [{ presencePenalty: -2 }, { presence_penalty: -2 }],
  [{ frequencyPenalty: 0 }, { frequency_penalty: 0 }],
  [{ serviceTier: 'flex' }, { service_tier: 'flex' }],
  [{ safetyIdentifier: 'user-1' }, { safety_identifier: 'user-1' }],
  [{ promptCacheKey: 'group-1' }, { prompt_cache_key: 'group-1' }],
  [{ metadata: { topic: 'tests', '': '' } }, {}],
  [{ metadata: { ['__proto__']: 'x', constructor: 'y' } }, {}],
  [{ text: { verbosity: 'LOW' } }, { verbosity: 'low' }, { text: { ...PLAIN.text, verbosity: 'LOW' } }],
  [{ text: { format: { type: 'TEXT' } } }, {}, {}],
  [
    { text: { format: { type: 'JSON_OBJECT' } } },
    { response_format: { type: 'json_object' } },
    { text: { ...PLAIN.text, format: { ...PLAIN.text.format, type: 'JSON_OBJECT' } } },
  ],
  [
    { text: { format: { jsonSchema: FORMAT } } },
    { response_format: { type: 'json_schema', json_schema: FORMAT } },
    { text: { ...PLAIN.text, format: { type: 'JSON_SCHEMA', ...FORMAT } } },
  ],
  [
    { text: { format: { jsonSchema: { name: 'f', schema: {} } } } },
    { response_format: { type: 'json_schema', json_schema: { name: 'f', schema: {} } } },
    {
      text: {
        ...PLAIN.text,
        format: { ...PLAIN.text.format, type: 'JSON_SCHEMA', name: 'f', schema: {} },
      },
    },
  ],
  ...['NONE', 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'XHIGH', 'MAX'].map((effort): [object, object, object] => [
    { reasoning: { effort } },
    { reasoning_effort: effort.toLowerCase() },
    { reasoning: { effort, summary: null } },
  ]),
  [{ reasoning: { summary: 'AUTO' } }, {}, { reasoning: { effort: null, summary: 'AUTO' } }],
  [
    { tools: [{ function: TOOL }, { function: { name: 'b' } }] },
    {
      tools: [
        { type: 'function', function: TOOL },
        { type: 'function', function: { name: 'b', parameters: EMPTY_SCHEMA } },
      ],
      tool_choice: 'auto',
    },
    { tools: [TOOL, { name: 'b', description: null, parameters: null, strict: null }] },
  ],
];

let shared: TestApp;
beforeAll(async () => {
  shared = await startTestApp();
});
afterAll(() => shared[Symbol.asyncDispose]());

test.each(PARAMETERS)('%j is sent and given back', async (asked, sent, given = asked) => {
  const { id } = await run(shared, { input, ...asked });
  expect(sentTo(shared)).toEqual({ ...SENT, ...sent });
  expect((await ask(shared, SETTINGS, { id })).response).toEqual({ ...PLAIN, ...given });
});

test('explicit nulls ask for nothing', async () => {
  await using app = await startTestApp();
  const names = ['model', 'instructions', 'tools', 'toolChoice', 'maxOutputTokens', 'temperature', 'topP'];
  names.push('topLogprobs', 'presencePenalty', 'frequencyPenalty', 'text', 'reasoning', 'metadata');
  names.push('serviceTier', 'safetyIdentifier', 'promptCacheKey', 'idempotencyKey', 'previousResponseId');
  const { id } = await run(app, { input, ...Object.fromEntries(names.map((name) => [name, null])) });
  expect(sentTo(app)).toEqual(SENT);
  expect((await ask(app, SETTINGS, { id })).response).toEqual(PLAIN);
});

const LOGPROBS = {
  content: [
    { token: 'H', logprob: -0.5, bytes: [72], top_logprobs: [{ token: 'W', logprob: -1, bytes: null }] },
    { token: 'i', logprob: -0.25, top_logprobs: [] },
  ],
};

test('logprobs that were asked for are shown, and those nobody asked for are not', async () => {
  await using app = await startTestApp();
  const choice = { index: 0, delta: { content: 'Hi' }, finish_reason: null, logprobs: LOGPROBS };
  const answer = streams({ choices: [choice] }, chunk({ content: '!' }), chunk({}, 'stop'));
  app.upstream.enqueue(answer, answer);
  const asked = await run(app, { input, topLogprobs: 1 });
  expect(asked.output[0].content[0]).toMatchObject({
    text: 'Hi!',
    logprobs: [
      { token: 'H', logprob: -0.5, bytes: [72], top: [{ token: 'W', logprob: -1, bytes: null }] },
      { token: 'i', logprob: -0.25, bytes: null, top: [] },
    ],
  });
  const unasked = await run(app, { input });
  expect(unasked.output[0].content[0]).toMatchObject({ text: 'Hi!', logprobs: null });
});

const ghost = { name: 'ghost', arguments: '{}' };

test('maxOutputTokens is the budget of the whole run: each round is given what is left of it', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([ghost]), calls([ghost]), says('ok'));
  const response = await run(app, { input, maxOutputTokens: 100 });
  expect(response).toMatchObject({ status: 'COMPLETED', usage: { outputTokens: 15, totalTokens: 45 } });
  expect([0, 1, 2].map((index) => sentTo(app, index)['max_tokens'])).toEqual([100, 95, 90]);
});

test('a run whose budget is used up ends without another request', async () => {
  await using app = await startTestApp();
  const usage = { ...USAGE, completion_tokens: 20 };
  const call = { index: 0, id: 'a', function: { name: 'ghost', arguments: '{}' } };
  app.upstream.enqueue(streams(chunk({ tool_calls: [call] }), chunk({}, 'tool_calls', { usage })));
  expect(await run(app, { input, maxOutputTokens: 20 })).toMatchObject({
    status: 'INCOMPLETE',
    incompleteDetails: { reason: 'MAX_OUTPUT_TOKENS' },
    output: [{ status: 'FAILED' }, { __typename: 'FunctionCallOutput', status: 'COMPLETED' }],
  });
  expect(app.upstream.exchanges).toHaveLength(1);
});

test('an upstream that reports no usage gets the full limit in every round', async () => {
  await using app = await startTestApp();
  const call = { index: 0, id: 'a', function: { name: 'ghost', arguments: '{}' } };
  app.upstream.enqueue(streams(chunk({ tool_calls: [call] }), chunk({}, 'tool_calls')));
  app.upstream.enqueue(streams(chunk({ content: 'ok' }), chunk({}, 'stop')));
  expect(await run(app, { input, maxOutputTokens: 50 })).toMatchObject({ status: 'COMPLETED', usage: null });
  expect([0, 1].map((index) => sentTo(app, index)['max_tokens'])).toEqual([50, 50]);
});
