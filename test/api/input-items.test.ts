import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { calls, says } from '../support/chat-server.ts';
import {
  type ConnectionPage,
  checkPage,
  PAGE_FIELDS,
  type PageArguments,
  walk,
} from '../support/connection.ts';
import { ask, createResponse, send } from '../support/graphql.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

let app: TestApp;
/** Four turns: words, a question with two calls, their outputs, words again. Then a branch off the second. */
const turns: string[] = [];
let branch: string;

const message = (text: string) => ({ message: { content: { text } } });
const output = (callId: string) => ({ functionCallOutput: { callId, output: { text: `of ${callId}` } } });
const weather = { function: { name: 'weather', parameters: { type: 'object' } } };

beforeAll(async () => {
  app = await startTestApp();
  app.upstream.enqueue(
    says('A1'),
    calls(
      [
        { name: 'weather', arguments: '{}', id: 'first' },
        { name: 'weather', arguments: '{}', id: 'second' },
      ],
      'A2',
    ),
    says('A3'),
    says('A4'),
  );
  const say = async (items: readonly object[], more: object = {}) => {
    const previousResponseId = turns.at(-1) ?? null;
    turns.push((await createResponse(app, { input: { items }, previousResponseId, ...more })).id);
  };
  await say([message('U1'), message('U1b')]);
  await say([message('U2')], { tools: [weather] });
  await say([output('first'), output('second'), message('U3')]);
  await say([message('U4')]);
  branch = (await createResponse(app, { input: { text: 'B2' }, previousResponseId: turns[0] })).id;
});

afterAll(() => app[Symbol.asyncDispose]());

/** Oldest first. */
const TURN_1 = ['U1', 'U1b'];
const HISTORY_4 = [...TURN_1, 'A1', 'U2', 'A2', 'first', 'second', 'of first', 'of second', 'U3', 'A3', 'U4'];

const ITEM = `
  id response { id }
  ... on Message { text } ... on FunctionCall { callId } ... on FunctionCallOutput { output }`;

const SIGNATURE =
  '$id: ID!, $first: Int, $after: String, $last: Int, $before: String, $order: SortOrder! = DESC, $scope: InputItemScope! = ALL';
const ARGUMENTS = 'first: $first, after: $after, last: $last, before: $before, order: $order, scope: $scope';
const PAGE = `${PAGE_FIELDS} totalCount items: nodes { ${ITEM} }`;

interface ItemPage extends ConnectionPage {
  readonly items: readonly {
    readonly id: string;
    readonly response: { readonly id: string } | null;
    readonly [field: string]: unknown;
  }[];
}

type ItemArguments = PageArguments & { readonly order?: string; readonly scope?: string };
type Read = (id: string, args: ItemArguments) => Promise<ItemPage>;

const WAYS: readonly { readonly way: string; readonly read: Read }[] = [
  {
    way: 'Query.inputItems',
    read: async (id, args) =>
      (
        await ask(
          app,
          `query Items(${SIGNATURE}) { inputItems(responseId: $id, ${ARGUMENTS}) { ${PAGE} } }`,
          { id, ...args },
        )
      ).inputItems,
  },
  {
    way: 'Response.inputItems',
    read: async (id, args) =>
      (
        await ask(
          app,
          `query Items(${SIGNATURE}) { response(id: $id) { inputItems(${ARGUMENTS}) { ${PAGE} } } }`,
          { id, ...args },
        )
      ).response.inputItems,
  },
];

const textsOf = ({ items }: ItemPage) =>
  items.map((item) => item['text'] ?? item['callId'] ?? item['output']);
const turn = (number: number) => turns[number - 1] ?? '';

describe.each(WAYS)('$way', ({ read }) => {
  test('ALL gives the history and the own input of a response, the newest first', async () => {
    const page = await read(turn(4), {});
    expect(textsOf(page)).toEqual(HISTORY_4.toReversed());
    expect(page.totalCount).toBe(HISTORY_4.length);
    expect(textsOf(await read(turn(4), { order: 'ASC' }))).toEqual(HISTORY_4);
    expect(textsOf(await read(turn(1), { order: 'ASC' }))).toEqual(TURN_1);
  });

  test('OWN gives only what the request itself brought', async () => {
    const own = { scope: 'OWN', order: 'ASC' };
    expect(textsOf(await read(turn(3), own))).toEqual(['of first', 'of second', 'U3']);
    expect(textsOf(await read(turn(1), own))).toEqual(TURN_1);
    const page = await read(turn(3), { scope: 'OWN', first: 1 });
    expect(textsOf(page)).toEqual(['U3']);
    expect(page).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
  });

  test('a branch has nothing of the branches beside it', async () => {
    expect(textsOf(await read(branch, { order: 'ASC' }))).toEqual([...TURN_1, 'A1', 'B2']);
  });

  test.each(['ASC', 'DESC'])(
    'pages of every size give each item exactly once in %s, both ways',
    async (order) => {
      for (const scope of ['ALL', 'OWN']) {
        const all = checkPage(await read(turn(4), { first: 100, order, scope }));
        expect(all).toHaveLength(scope === 'ALL' ? HISTORY_4.length : 1);
        expect(new Set(all).size).toBe(all.length);
        for (const size of [1, 2, 5, all.length]) {
          const page = (place: PageArguments) => read(turn(4), { ...place, order, scope });
          expect(await walk(page, { size })).toEqual(all);
          expect(await walk(page, { size, backward: true })).toEqual(all);
        }
      }
    },
  );

  test('a page between two cursors holds what lies between them', async () => {
    const { edges } = await read(turn(4), { order: 'ASC' });
    const [after, before] = [edges[1]?.cursor ?? '', edges[7]?.cursor ?? ''];
    const between = HISTORY_4.slice(2, 7);
    expect(textsOf(await read(turn(4), { after, before, order: 'ASC' }))).toEqual(between);
    expect(textsOf(await read(turn(4), { after, before, order: 'ASC', last: 2 }))).toEqual(between.slice(-2));
    expect(textsOf(await read(turn(4), { after: before, before: after }))).toEqual(between.toReversed());
  });

  test('every item names the response whose input or output it is', async () => {
    const { items } = await read(turn(4), { order: 'ASC' });
    const owners = items.map(({ response }) => turns.indexOf(response?.id ?? '') + 1);
    expect(owners).toEqual([1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4]);
  });
});

test('the input of an unknown or malformed id is null', async () => {
  const query = 'query Items($id: ID!) { inputItems(responseId: $id) { totalCount } }';
  for (const id of [
    `resp_${'0'.repeat(32)}`,
    'nonsense',
    '',
    turn(1).toUpperCase(),
    `msg_${'0'.repeat(32)}`,
  ]) {
    expect(await send(app, query, { id })).toEqual({ data: { inputItems: null } });
  }
});

test('input is there while its response is in flight, and its output is not among it', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  app.upstream.enqueue(async (exchange) => {
    await promise;
    await says('late')(exchange);
  });
  const { id } = await createResponse(app, {
    input: { text: 'Now' },
    previousResponseId: branch,
    stream: true,
  });
  for (const { read } of WAYS) {
    expect(textsOf(await read(id, { order: 'ASC' }))).toEqual([...TURN_1, 'A1', 'B2', 'ok', 'Now']);
  }
  resolve();
});

test('after a deletion the history stays, and its items name no response any more', async () => {
  const deleted = await ask(
    app,
    'mutation Delete($id: ID!) { deleteResponse(input: { id: $id }) { deletedId } }',
    { id: turn(2) },
  );
  expect(deleted.deleteResponse.deletedId).toBe(turn(2));
  for (const { read } of WAYS) {
    const page = await read(turn(4), { order: 'ASC' });
    expect(textsOf(page)).toEqual(HISTORY_4);
    expect(page.items.map(({ response }) => turns.indexOf(response?.id ?? '') + 1)).toEqual([
      1, 1, 1, 0, 0, 0, 0, 3, 3, 3, 3, 4,
    ]);
  }
});
