import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, createResponse, send } from '../support/graphql.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

let app: TestApp;
let id: string;
const cursors = { responses: '', items: '', otherItems: '', stream: '' };

beforeAll(async () => {
  app = await startTestApp();
  const before = await createResponse(app, { input: { text: 'Hi' } });
  const response = await createResponse(app, { input: { text: 'Ho' }, previousResponseId: before.id });
  id = response.id;
  cursors.stream = response.streamCursor;
  const data = await ask(
    app,
    `query Cursors($id: ID!, $before: ID!) {
    responses { edges { cursor } }
    inputItems(responseId: $id) { edges { cursor } }
    before: inputItems(responseId: $before) { edges { cursor } }
  }`,
    { id, before: before.id },
  );
  cursors.responses = data.responses.edges[0].cursor;
  cursors.items = data.inputItems.edges[0].cursor;
  cursors.otherItems = data.before.edges[0].cursor;
});

afterAll(() => app[Symbol.asyncDispose]());

const encoded = (text: string) => Buffer.from(text).toString('base64url');

const LISTS = [
  { list: 'responses', query: '{ page: responses(ARGS) { nodes { id } } }' },
  {
    list: 'inputItems',
    query: 'query Page($id: ID!) { page: inputItems(responseId: $id, ARGS) { nodes { id } } }',
  },
  {
    list: 'Response.inputItems',
    query: 'query Page($id: ID!) { page: response(id: $id) { inputItems(ARGS) { nodes { id } } } }',
  },
  {
    list: 'Response.continuations',
    query: 'query Page($id: ID!) { page: response(id: $id) { continuations(ARGS) { nodes { id } } } }',
  },
] as const;

const cursorCases: readonly (readonly [what: string, cursor: (list: string) => string])[] = [
  ['an empty cursor', () => ''],
  ['a word', () => 'nonsense'],
  ['an id', () => id],
  ['a stream cursor', () => cursors.stream],
  ['a cursor of another list', (list) => (/inputItems/.test(list) ? cursors.responses : cursors.items)],
  [
    'a cursor with something behind it',
    (list) => `${/inputItems/.test(list) ? cursors.items : cursors.responses}!`,
  ],
  ['a time beyond every calendar', () => encoded(`999999999999999:${id}`)],
  ['a time that is none', () => encoded(`1e3:${id}`)],
  ['a cursor without an id', () => encoded('1700000000000:')],
  ['a cursor with NUL', () => encoded(`1700000000000:${id}\0`)],
  ['a place beyond every column', () => encoded(`${id}:99999999999:0`)],
  ['a place below zero', () => encoded(`${id}:0:-1`)],
];

describe.each(LISTS)('of $list', ({ query }) => {
  test.each([
    ['first', 'first: 0'],
    ['first', 'first: 101'],
    ['first', 'first: -1'],
    ['last', 'last: 0'],
    ['last', 'last: 101'],
    ['last', 'last: -1'],
    ['first or last', 'first: 1, last: 1'],
    ['first', 'first: 0, after: null'],
  ])('%s is refused by name in (%s)', async (name, args) => {
    await expectRefused(name, query.replace('ARGS', args));
  });

  test.each([
    ['first: 1'],
    ['first: 100'],
    ['last: 1'],
    ['last: 100'],
    ['first: null, last: 2'],
    ['first: 2, last: null, after: null, before: null'],
  ])('(%s) is taken', async (args) => {
    expect((await ask(app, query.replace('ARGS', args), { id })).page).not.toBeNull();
  });
});

describe.each(LISTS)('%# of $list', ({ list, query }) => {
  test.each(cursorCases)('%s is refused, named as after and as before', async (_, cursor) => {
    for (const name of ['after', 'before']) {
      await expectRefused(name, query.replace('ARGS', `${name}: ${JSON.stringify(cursor(list))}`));
    }
  });
});

test.each([LISTS[1], LISTS[2]])(
  'a cursor of the input of another response is refused by $list',
  async ({ query }) => {
    await expectRefused('after', query.replace('ARGS', `after: ${JSON.stringify(cursors.otherItems)}`));
  },
);

test('a size out of range is refused also where the filter leaves nothing', async () => {
  await expectRefused(
    'first',
    '{ page: responses(first: 0, filter: { previousResponseId: "none" }) { nodes { id } } }',
  );
});

async function expectRefused(name: string, query: string): Promise<void> {
  const { data, errors } = await send(app, query, { id });
  expect(data).toEqual({ page: null });
  expect(errors).toHaveLength(1);
  expect(errors?.[0]).toMatchObject({ extensions: { code: 'INVALID_INPUT' }, path: expect.any(Array) });
  expect(errors?.[0]?.message.toLowerCase()).toMatch(new RegExp(`\\b${name}\\b`));
}
