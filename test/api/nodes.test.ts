import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { calls, says } from '../support/chat-server.ts';
import { ask, createResponse, ITEM_FIELDS, send } from '../support/graphql.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

let app: TestApp;
let id: string;
let next: string;
/** Every kind of item, by type. */
const items = new Map<string, { readonly id: string; readonly __typename: string }>();

const ITEM = `...ItemFields response { id }`;

beforeAll(async () => {
  app = await startTestApp();
  app.upstream.enqueue(
    calls([{ name: 'weather', arguments: '{"city":"Ulm"}', id: 'first' }], 'Let me look.'),
    says('Sun'),
  );
  const tools = [{ function: { name: 'weather' } }];
  const thought = { reasoning: { content: ['Hm.'], summary: ['In short.'], encryptedContent: 'secret' } };
  const given = [
    thought,
    { message: { role: 'SYSTEM', content: { text: 'Be brief.' } } },
    { message: { content: { text: 'Weather?' } } },
  ];
  ({ id } = await createResponse(app, { input: { items: given }, tools }));
  const answer = { functionCallOutput: { callId: 'first', output: { text: 'Sunny' } } };
  ({ id: next } = await createResponse(app, { input: { items: [answer] }, previousResponseId: id }));
  const query = `query All($id: ID!) { response(id: $id) { output { ${ITEM} } inputItems { nodes { ${ITEM} } } } } ${ITEM_FIELDS}`;
  const { response } = await ask(app, query, { id: next });
  for (const item of [...response.output, ...response.inputItems.nodes]) items.set(item.__typename, item);
});

afterAll(() => app[Symbol.asyncDispose]());

const TYPES = ['Message', 'FunctionCall', 'FunctionCallOutput', 'Reasoning'];

describe('node', () => {
  test.each(TYPES)('a %s is found by its id, as the list has it', async (type) => {
    const item = items.get(type);
    const query = `query Find($id: ID!) { node(id: $id) { __typename id ... on Item { ${ITEM} } } } ${ITEM_FIELDS}`;
    expect(item?.id).toMatch(/^(msg|fc|fco|rs)_[0-9a-f]{32,}$/);
    expect((await ask(app, query, { id: item?.id })).node).toEqual(item);
  });

  test('a response is found by its id', async () => {
    const query = 'query Find($id: ID!) { node(id: $id) { __typename id ... on Response { outputText } } }';
    expect((await ask(app, query, { id: next })).node).toEqual({
      __typename: 'Response',
      id: next,
      outputText: 'Sun',
    });
  });

  test.each([
    `resp_${'0'.repeat(32)}`,
    `msg_${'0'.repeat(32)}`,
    `fco_${'f'.repeat(64)}`,
    'resp_',
    'nonsense',
    '',
    'toString',
    `ws_${'0'.repeat(32)}`,
    `msg_${'0'.repeat(32)}\0`,
    `resp_${'0'.repeat(32)}\n`,
  ])('%j is the id of nothing: null', async (unknown) => {
    const query =
      'query Find($id: ID!) { node(id: $id) { id } response(id: $id) { id } nodes(ids: [$id]) { id } }';
    expect(await send(app, query, { id: unknown })).toEqual({
      data: { node: null, response: null, nodes: [null] },
    });
  });

  test('an id in capitals, or with something around it, is another id', async () => {
    const query = 'query Find($ids: [ID!]!) { nodes(ids: $ids) { id } }';
    const ids = [next.toUpperCase(), ` ${next}`, `${next}0`, next.slice(0, -1)];
    expect((await ask(app, query, { ids })).nodes).toEqual([null, null, null, null]);
  });
});

test('nodes gives everything in the order asked for, doubles and gaps included', async () => {
  const known = [next, ...TYPES.map((type) => items.get(type)?.id ?? ''), id];
  const ids = [...known, 'nonsense', ...known.toReversed(), `resp_${'0'.repeat(32)}`, next];
  const { nodes } = await ask(app, 'query Find($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids });
  expect(nodes.map((node: { id: string } | null) => node?.id ?? null)).toEqual(
    ids.map((each) => (known.includes(each) ? each : null)),
  );
  expect((await ask(app, '{ nodes(ids: []) { id } }')).nodes).toEqual([]);
});

test('previousResponse and continuations lead up and down a branch', async () => {
  const query = `query Branch($id: ID!) {
    response(id: $id) { previousResponseId previousResponse { id previousResponse { id } } continuations { totalCount nodes { id } } }
  }`;
  expect((await ask(app, query, { id })).response).toEqual({
    previousResponseId: null,
    previousResponse: null,
    continuations: { totalCount: 1, nodes: [{ id: next }] },
  });
  expect((await ask(app, query, { id: next })).response).toEqual({
    previousResponseId: id,
    previousResponse: { id, previousResponse: null },
    continuations: { totalCount: 0, nodes: [] },
  });
});

test('what is not stored is found by no id, and its items name no response', async () => {
  const query = `mutation Run($input: CreateResponseInput!) {
    createResponse(input: $input) { response { id output { id response { id } } } }
  }`;
  const { response } = (await ask(app, query, { input: { input: { text: 'Hi' }, store: false } }))
    .createResponse;
  expect(response.output).toMatchObject([{ response: null }]);
  const ids = [response.id, response.output[0].id];
  expect((await ask(app, 'query Find($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids })).nodes).toEqual([
    null,
    null,
  ]);
});

test("another tenant's responses and items read as unknown ones", async () => {
  await using other = await startTestApp();
  const response = await createResponse(other, { input: { text: 'Hi' } });
  const ids = [response.id, response.output[0].id];
  for (const table of ['responses', 'items', 'events']) {
    await other.database.sql`update ${other.database.sql(table)} set tenant = 'another'`;
  }
  const query = `query Find($ids: [ID!]!, $id: ID!) {
    nodes(ids: $ids) { id }
    responses { totalCount nodes { id } }
    inputItems(responseId: $id) { totalCount }
  }`;
  expect(await ask(other, query, { ids, id: response.id })).toEqual({
    nodes: [null, null],
    responses: { totalCount: 0, nodes: [] },
    inputItems: null,
  });
});
