import { afterAll, beforeAll, expect, test } from 'vitest';
import { calls } from '../support/chat-server.ts';
import { ask, create, createResponse } from '../support/graphql.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

type Fields = { readonly [name: string]: unknown };
const hi = { input: { text: 'Hi' } };

/** The paths that a request is refused for; nothing of it may be stored or sent. */
async function refused(fields: Fields, to = app): Promise<string[]> {
  const before = to.upstream.exchanges.length;
  const { response, errors } = await create(to, { ...hi, ...fields });
  expect(response).toBeNull();
  expect(errors).not.toEqual([]);
  for (const { __typename, code, message } of errors) {
    expect([__typename, code]).toEqual(['InvalidInputError', 'INVALID_INPUT']);
    expect(message).toMatch(/.{10}/);
  }
  expect(to.upstream.exchanges).toHaveLength(before);
  const stored = await to.database.sql`select model from responses where model <> 'stored on purpose'`;
  expect(stored).toHaveLength(0);
  expect(await to.database.sql`select key from idempotency_keys`).toHaveLength(0);
  return errors.map(({ path }: { path: string[] }) => path.join('.'));
}

const message = (content: object, role = 'USER') => ({ input: { items: [{ message: { role, content } }] } });
const parts = (...list: object[]) => message({ parts: list });
const tool = (more: object) => ({ tools: [{ function: { name: 'f', ...more } }] });
const format = (more: object) => ({ text: { format: { jsonSchema: { name: 'f', schema: {}, ...more } } } });
const toolOutput = (...list: object[]) => ({
  input: {
    items: [
      { functionCall: { callId: 'a', name: 'f', arguments: '' } },
      { functionCallOutput: { callId: 'a', output: { parts: list } } },
    ],
  },
});
const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, '']));
const PART = 'input.items.0.message.content.parts.0';

test.each<[string, Fields]>([
  ['temperature', { temperature: -0.1 }],
  ['temperature', { temperature: 2.1 }],
  ['topP', { topP: -0.1 }],
  ['topP', { topP: 1.1 }],
  ['topLogprobs', { topLogprobs: -1 }],
  ['topLogprobs', { topLogprobs: 21 }],
  ['presencePenalty', { presencePenalty: -2.1 }],
  ['presencePenalty', { presencePenalty: 2.1 }],
  ['frequencyPenalty', { frequencyPenalty: -2.1 }],
  ['frequencyPenalty', { frequencyPenalty: 2.1 }],
  ['maxOutputTokens', { maxOutputTokens: 15 }],
  ['maxOutputTokens', { maxOutputTokens: -1 }],
  ['model', { model: '' }],
  ['model', { model: 'a\0b' }],
  ['model', { model: 'a\ud800' }],
  ['idempotencyKey', { idempotencyKey: '' }],
  ['idempotencyKey', { idempotencyKey: '\0' }],
  ['idempotencyKey', { idempotencyKey: '\udc00' }],
  ['metadata', { metadata: pairs(17) }],
  ['metadata.a', { metadata: { a: 1 } }],
  ['metadata.a', { metadata: { a: null } }],
  ['metadata.a', { metadata: { a: 'x'.repeat(513) } }],
  ['metadata.a', { metadata: { a: '\0' } }],
  ['metadata.a', { metadata: { a: '\ud83d' } }],
  ['metadata.a\0', { metadata: { 'a\0': '' } }],
  ['metadata.\udc00', { metadata: { '\udc00': '' } }],
  ['metadata.__proto__', { metadata: JSON.parse('{"__proto__":{"a":1}}') }],
  [`metadata.${'k'.repeat(65)}`, { metadata: { ['k'.repeat(65)]: '' } }],
  ['tools.0.function.name', tool({ name: '' })],
  ['tools.0.function.name', tool({ name: 'a b' })],
  ['tools.0.function.name', tool({ name: 'ä' })],
  ['tools.0.function.name', tool({ name: 'a\n' })],
  ['tools.0.function.name', tool({ name: 'x'.repeat(65) })],
  ['tools.0.function.parameters', tool({ parameters: [] })],
  ['tools.0.function.parameters', tool({ parameters: 'object' })],
  ['tools.0.function.parameters', tool({ parameters: true })],
  ['tools.1.function.name', { tools: [...tool({}).tools, ...tool({}).tools] }],
  ['text.format.jsonSchema.name', format({ name: 'a.b' })],
  ['text.format.jsonSchema.schema', format({ schema: [] })],
  ['text.format.jsonSchema.schema', format({ schema: 1 })],
  ['toolChoice.function', { ...tool({}), toolChoice: { function: 'g' } }],
  ['toolChoice.mode', { toolChoice: { mode: 'REQUIRED' } }],
  ['toolChoice.allowedTools.tools', { toolChoice: { allowedTools: { mode: 'AUTO', tools: [] } } }],
  [
    'toolChoice.allowedTools.tools.1.function',
    {
      ...tool({}),
      toolChoice: { allowedTools: { mode: 'AUTO', tools: [{ function: 'f' }, { function: 'g' }] } },
    },
  ],
  ['input.items', { input: { items: [] } }],
  ['input.items.0.message.content.parts', message({ parts: [] })],
  [`${PART}.image.imageUrl`, parts({ image: { imageUrl: 'ftp://example.com/a.png' } })],
  [`${PART}.image.imageUrl`, parts({ image: { imageUrl: 'a.png' } })],
  [`${PART}.image.imageUrl`, parts({ image: { imageUrl: 'file:///etc/passwd' } })],
  [`${PART}.file.source.fileUrl`, parts({ file: { source: { fileUrl: 'data:,x' } } })],
  [`${PART}.file.source.fileData`, parts({ file: { source: { fileData: 'https://example.com' } } })],
  [`${PART}.file.source.fileData`, parts({ file: { source: { fileData: 'JVBERi0=' } } })],
  [`${PART}.refusal`, parts({ refusal: 'No' })],
  [`${PART}.image`, message({ parts: [{ image: { imageUrl: 'data:,x' } }] }, 'ASSISTANT')],
  [`${PART}.file`, message({ parts: [{ file: { source: { fileData: 'data:,x' } } }] }, 'SYSTEM')],
  ['input.items.1.functionCallOutput.output.parts.0.refusal', toolOutput({ refusal: 'No' })],
  [
    'input.items.1.functionCallOutput.output.parts.1.image.imageUrl',
    toolOutput({ text: '' }, { image: { imageUrl: 'x' } }),
  ],
  ['background', { store: false, background: true }],
  ['idempotencyKey', { store: false, idempotencyKey: 'a' }],
])('%j is refused by its path: %j', async (path, fields) => {
  expect(await refused(fields)).toEqual([path]);
});

test('calls and outputs given as input must fit each other', async () => {
  const functionCall = { callId: 'a', name: 'f', arguments: '{}' };
  const output = { functionCallOutput: { callId: 'a', output: { text: '' } } };
  const items = (...list: object[]) => refused({ input: { items: list } });
  expect(await items({ functionCall })).toEqual(['input.items']);
  expect(await items(output)).toEqual(['input.items.0.functionCallOutput.callId']);
  expect(await items({ functionCall }, { functionCall }, output)).toEqual([
    'input.items.1.functionCall.callId',
  ]);
  expect(await items({ functionCall }, output, output)).toEqual(['input.items.2.functionCallOutput.callId']);
  expect(await items({ functionCall: { ...functionCall, callId: '' } }, output)).toEqual([
    'input.items.0.functionCall.callId',
    'input.items.1.functionCallOutput.callId',
    'input.items',
  ]);
});

test('all errors of a request come at once, whoever finds them', async () => {
  const paths = await refused({
    model: '\0',
    temperature: 3,
    topP: 2,
    maxOutputTokens: 1,
    metadata: { a: 1, b: '\0', c: 'fine' },
    tools: [...tool({ parameters: 1 }).tools, ...tool({ name: '?' }).tools, ...tool({}).tools],
    toolChoice: { function: 'g' },
    store: false,
    background: true,
    idempotencyKey: 'a',
    input: {
      items: [
        { message: { content: { parts: [{ image: { imageUrl: 'x' } }, { refusal: 'y' }] } } },
        { functionCallOutput: { callId: 'who', output: { text: '' } } },
      ],
    },
  });
  expect(paths.toSorted()).toEqual([
    'background',
    'idempotencyKey',
    'input.items.0.message.content.parts.0.image.imageUrl',
    'input.items.0.message.content.parts.1.refusal',
    'input.items.1.functionCallOutput.callId',
    'maxOutputTokens',
    'metadata.a',
    'metadata.b',
    'model',
    'temperature',
    'toolChoice.function',
    'tools.0.function.parameters',
    'tools.1.function.name',
    'tools.2.function.name',
    'topP',
  ]);
});

test('errors that only the database can tell come with the others', async () => {
  app.upstream.enqueue(calls([{ name: 'f', arguments: '{}' }]));
  const first = await createResponse(app, { ...hi, ...tool({}), model: 'stored on purpose' });
  const continued = { ...hi, previousResponseId: first.id, topP: 2 };
  expect(await refused(continued)).toEqual(['topP', 'input.items']);
  const { errors } = await create(app, { ...hi, previousResponseId: 'resp_1', topP: 2, model: '' });
  expect(errors.map(({ code }: { code: string }) => code)).toEqual([
    'INVALID_INPUT',
    'INVALID_INPUT',
    'PREVIOUS_RESPONSE_NOT_FOUND',
  ]);
});

test('without a default model a request must name one', async () => {
  await using other = await startTestApp({ config: { defaultModel: null } });
  expect(await refused({}, other)).toEqual(['model']);
  expect(await refused({ temperature: 3 }, other)).toEqual(expect.arrayContaining(['model', 'temperature']));
  const named = await createResponse(other, { ...hi, model: 'mine' });
  expect(named).toMatchObject({ status: 'COMPLETED', model: 'mine' });
});

test('what lies exactly on the limits is taken', async () => {
  const query = `mutation Take($input: CreateResponseInput!) {
    createResponse(input: $input) { errors { path } response { metadata } }
  }`;
  const metadata = { ...pairs(15), ['k'.repeat(64)]: '😀'.repeat(256) };
  const url = 'HTTPS://example.com/a b.png';
  const input = {
    ...message({ parts: [{ image: { imageUrl: url } }, { file: { source: { fileData: 'data:,' } } }] }),
    ...tool({ name: 'Az09_-'.padEnd(64, 'x'), parameters: {} }),
    ...{ model: 'stored on purpose', maxOutputTokens: 16, temperature: 2, topP: 0, topLogprobs: 20 },
    ...{ presencePenalty: -2, frequencyPenalty: 2, metadata, store: false },
  };
  const { createResponse: payload } = await ask(app, query, { input });
  expect(payload).toEqual({ errors: [], response: { metadata } });
});
