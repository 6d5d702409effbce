import {
  type GraphQLNamedType,
  isEnumType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';
import { createClient } from 'graphql-sse';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { calls, chunk, feed, hangsAfter, json, streams, USAGE } from '../support/chat-server.ts';
import { seenIn, selectAll } from '../support/deep-query.ts';
import { useEveryMode } from '../support/every-mode.ts';
import { useEveryTool } from '../support/every-tool.ts';
import { ask, createResponse, send } from '../support/graphql.ts';
import { pendingItems } from '../support/run.ts';
import { type SearchingApp, startSearchingApp } from '../support/searching-app.ts';

let app: SearchingApp;
const seen = new Set<string>();

beforeAll(async () => {
  const documents = { maxTokens: 100_000, maxCost: 50_000_000 }; // more than any client selects at once
  app = await startSearchingApp({ maxRounds: 1, toolTimeoutMs: 1500, maxRuns: 2 }, 'searxng', documents);
});

afterAll(() => app[Symbol.asyncDispose]());

const ownTypes = () =>
  Object.values(schema.getTypeMap()).filter(
    (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
  );

const typeOf = (name: string): GraphQLNamedType => {
  const type = schema.getType(name);
  if (type === undefined) throw new Error(`no type ${name}`);
  return type;
};

const CREATE = `mutation Create($input: CreateResponseInput!) { createResponse(input: $input) ${selectAll(typeOf('CreateResponsePayload'))} }`;
const DELETE = `mutation Delete($id: ID!) { deleteResponse(input: { id: $id }) ${selectAll(typeOf('DeleteResponsePayload'))} }`;
const CANCEL = `mutation Cancel($id: ID!) { cancelResponse(input: { id: $id }) ${selectAll(typeOf('CancelResponsePayload'))} }`;
// What READ selects of a response is not selected again in each type of event: that query would be too large to check.
const STREAM = `subscription Stream($id: ID!, $types: [ResponseEventType!]) { responseStream(id: $id, types: $types) ${selectAll(typeOf('ResponseEvent'), [typeOf('Response')])} }`;
const READ = `query Read($id: ID!, $ids: [ID!]!) {
  __typename
  node(id: $id) { __typename ... on Response ${selectAll(typeOf('Response'))} }
  nodes(ids: $ids) { __typename ... on Item ${selectAll(typeOf('Item'))} }
  response(id: $id) ${selectAll(typeOf('Response'))}
  responses ${selectAll(typeOf('ResponseConnection'))}
  inputItems(responseId: $id) ${selectAll(typeOf('ItemConnection'))}
  models ${selectAll(typeOf('Model'))}
}`;

/** Sends, expects no error, and notes what was seen. */
async function look(query: string, variables: { readonly [name: string]: unknown }) {
  const data = await ask(app, query, variables);
  seenIn(data, seen);
  return data;
}

async function start(input: { readonly [name: string]: unknown }) {
  return (await look(CREATE, { input })).createResponse;
}

async function watch(id: string, types: readonly string[] | null = null): Promise<void> {
  const client = createClient({ url: app.url, retryAttempts: 0 });
  for await (const { data, errors } of client.iterate({ query: STREAM, variables: { id, types } })) {
    expect(errors).toBeUndefined();
    seenIn(data, seen);
  }
  client.dispose();
}

/** Creates a response and reads it in every way there is. */
async function lookAll(input: { readonly [name: string]: unknown }): Promise<string> {
  const { response, errors } = await start(input);
  expect(errors).toEqual([]);
  await watch(response.id);
  const ids = response.output.map(({ id }: { readonly id: string }) => id);
  await look(READ, { id: response.id, ids: [...ids, response.id] });
  return response.id;
}

const logprobs = {
  content: [
    { token: 'a', logprob: -0.1, bytes: [97], top_logprobs: [{ token: 'b', logprob: -2, bytes: [98] }] },
  ],
};
const annotation = {
  type: 'url_citation',
  url_citation: { url: 'https://a.test', title: 'A', start_index: 0, end_index: 1 },
};
const call = (id: string, name: string) => ({
  tool_calls: [{ index: 0, id, type: 'function', function: { name, arguments: '{}' } }],
});

const EVERY_WORD = streams(
  chunk({ reasoning_content: 'Hm.' }),
  {
    ...chunk({ content: 'a', annotations: [annotation] }),
    choices: [
      { index: 0, delta: { content: 'a', annotations: [annotation] }, logprobs, finish_reason: null },
    ],
  },
  chunk({ refusal: 'No.' }),
  chunk(call('one', 'weather')),
  chunk({}, 'tool_calls'),
  { choices: [], usage: USAGE },
);

const image = (detail: string) => ({ image: { imageUrl: 'https://a.test/a.png', detail } });
const parts = [
  { text: 'Look' },
  ...['AUTO', 'LOW', 'HIGH', 'ORIGINAL'].map(image),
  { file: { filename: 'a.txt', source: { fileData: 'data:text/plain;base64,YQ==' } } },
];
const ITEMS = [
  ...['USER', 'SYSTEM', 'DEVELOPER', 'ASSISTANT'].map((role) => ({
    message: { role, content: { text: role } },
  })),
  { message: { content: { parts } } },
  { message: { role: 'ASSISTANT', content: { parts: [{ refusal: 'No.' }] } } },
  { reasoning: { content: ['Hm.'], summary: ['Short.'], encryptedContent: 'secret' } },
  { functionCall: { callId: 'zero', name: 'weather', arguments: '{}' } },
  { functionCallOutput: { callId: 'zero', output: { text: 'Sun' } } },
];
const tools = [
  { function: { name: 'weather', description: 'Of today', parameters: { type: 'object' }, strict: false } },
];
const schemaFormat = {
  jsonSchema: { name: 'answer', description: 'An answer', schema: { type: 'object' }, strict: true },
};

test('every field of every type is answered without an error, and every enum value taken or given', async () => {
  app.upstream.enqueue(EVERY_WORD);
  const everything = {
    input: { items: ITEMS },
    tools,
    instructions: 'Be brief.',
    maxOutputTokens: 100,
    temperature: 1,
    topP: 1,
    topLogprobs: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    serviceTier: 'auto',
    safetyIdentifier: 'someone',
    promptCacheKey: 'key',
    metadata: { a: 'b' },
    text: { format: schemaFormat, verbosity: 'LOW' },
    toolChoice: { allowedTools: { mode: 'AUTO', tools: [{ function: 'weather' }] } },
    truncation: 'AUTO',
  };
  const root = await lookAll({ ...everything, reasoning: { effort: 'NONE', summary: 'AUTO' } });
  const output = { functionCallOutput: { callId: 'one', output: { text: 'Sun' } } };
  await lookAll({ input: { items: [output] }, previousResponseId: root });
  await look(READ, { id: root, ids: [] });

  const choices = [{ mode: 'NONE' }, { mode: 'AUTO' }, { mode: 'REQUIRED' }, { function: 'weather' }];
  for (const toolChoice of choices) await lookAll({ input: { text: 'Hi' }, tools, toolChoice });
  const allowed = { allowedTools: { mode: 'REQUIRED', tools: [{ function: 'weather' }] } };
  await lookAll({ input: { text: 'Hi' }, tools, toolChoice: allowed });
  for (const type of ['TEXT', 'JSON_OBJECT'])
    await lookAll({ input: { text: 'Hi JSON' }, text: { format: { type } } });
  for (const verbosity of ['MEDIUM', 'HIGH']) await lookAll({ input: { text: 'Hi' }, text: { verbosity } });
  for (const summary of ['CONCISE', 'DETAILED'])
    await lookAll({ input: { text: 'Hi' }, reasoning: { summary } });
  for (const effort of ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'XHIGH', 'MAX'])
    await lookAll({ input: { text: 'Hi' }, reasoning: { effort } });

  // Every way to end.
  app.upstream.enqueue(streams(chunk({ content: 'cut' }), chunk({}, 'length')));
  await lookAll({ input: { text: 'Hi' } });
  app.upstream.enqueue(streams(chunk({ content: 'cut' }), chunk({}, 'content_filter')));
  await lookAll({ input: { text: 'Hi' } });
  app.upstream.enqueue(calls([{ name: 'nobody', arguments: '{}' }]));
  await lookAll({ input: { text: 'Hi' }, tools });
  app.upstream.enqueue(json(400, { error: { message: 'No.' } }));
  await lookAll({ input: { text: 'Hi' } });
  const gone = new AbortController();
  app.upstream.enqueue(hangsAfter('half'));
  const left = send(app, CREATE, { input: { input: { text: 'Hi' } } }, gone.signal).catch(() => null);
  const exchange = await app.upstream.received(app.upstream.exchanges.length + 1);
  gone.abort();
  await left;
  await exchange.closed;
  const newest = (await ask(app, '{ responses(first: 1) { nodes { id } } }')).responses.nodes[0].id;
  await watch(newest);

  // Every error.
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  await upstream.say('half');
  await look(READ, { id, ids: [] });
  await start({ input: { text: 'Hi' }, previousResponseId: id });
  await upstream.end();
  await watch(id);
  await start({ input: { text: 'Hi' }, temperature: 9 });
  await start({ input: { text: 'Hi' }, previousResponseId: 'none' });
  await start({ input: { items: [{ itemReference: 'none' }] } });
  await start({ input: { text: 'Hi' }, idempotencyKey: 'key' });
  await start({ input: { text: 'Ho' }, idempotencyKey: 'key' });
  await look(DELETE, { id: 'none' });
  await look(DELETE, { id });

  const ways = {
    start,
    all: lookAll,
    read: (id: string) => look(READ, { id, ids: [] }),
    watch,
    cancel: (id: string) => look(CANCEL, { id }),
    pending: async (id: string) => (await pendingItems(app, id))[0].id,
  };
  await useEveryTool(app, ways);
  await useEveryMode(app, ways);

  for (const order of ['ASC', 'DESC'])
    await look('query L($order: SortOrder!) { responses(order: $order) { totalCount } }', { order });
  for (const scope of ['ALL', 'OWN'])
    await look(
      'query L($scope: InputItemScope!) { inputItems(responseId: "x", scope: $scope) { totalCount } }',
      { scope },
    );
  const eventTypes = typeOf('ResponseEventType');
  if (isEnumType(eventTypes))
    await watch(
      root,
      eventTypes.getValues().map(({ name }) => name),
    );

  // The fields of the roots were asked for by name; `__typename` cannot stand beside a subscription.
  const fields = ownTypes().flatMap((type) =>
    isObjectType(type) && !/^(Mutation|Subscription)$/.test(type.name)
      ? Object.keys(type.getFields()).map((name) => `${type.name}.${name}`)
      : [],
  );
  expect(fields.filter((field) => !seen.has(field))).toEqual([]);
  const given = ownTypes().filter((type) => isEnumType(type) && !isInputOnly(type.name));
  const values = given.flatMap((type) =>
    isEnumType(type) ? type.getValues().map(({ name }) => `${type.name}.${name}`) : [],
  );
  expect(values.filter((value) => !seen.has(value))).toEqual([]);
}, 60_000);

/** Enums of inputs alone: that the server takes their values is all there is to see. */
function isInputOnly(name: string): boolean {
  return [
    'SortOrder',
    'InputItemScope',
    'ResponseEventType',
    'SimpleTextFormat',
    'ToolChoiceSetting',
    'McpApprovalSetting',
  ].includes(name);
}
