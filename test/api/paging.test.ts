import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ConnectionPage,
  checkPage,
  PAGE_FIELDS,
  type PageArguments,
  walk,
} from '../support/connection.ts';
import { ask } from '../support/graphql.ts';
import { type Seed, type SeededResponse, seedResponses } from '../support/seed.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const START = Date.UTC(2026, 0, 1);
const STATUSES = ['completed', 'completed', 'failed', 'incomplete', 'cancelled', 'in_progress'] as const;

let app: TestApp;
let all: readonly SeededResponse[];
let parent: string;

/** 300 responses; thirty at a time were created in the same millisecond. */
beforeAll(async () => {
  app = await startTestApp();
  const roots = await seedResponses(
    app,
    Array.from({ length: 150 }, (_, index) => seed(index)),
  );
  parent = roots[0]?.id ?? '';
  const others = Array.from({ length: 150 }, (_, index) => ({
    ...seed(index),
    previousResponseId: index % 3 === 0 ? parent : null,
  }));
  all = [...roots, ...(await seedResponses(app, others))].sort(oldestFirst);
});

afterAll(() => app[Symbol.asyncDispose]());

function seed(index: number): Partial<Seed> {
  return {
    createdAt: new Date(START + Math.floor(index / 15)),
    status: STATUSES[index % STATUSES.length] ?? 'completed',
    model: index % 4 === 0 ? 'other-model' : 'test-model',
    metadata: index % 5 === 0 ? { team: 'red', size: 'xl' } : { team: 'blue' },
  };
}

function oldestFirst(a: SeededResponse, b: SeededResponse): number {
  return Number(a.createdAt) - Number(b.createdAt) || (a.id < b.id ? -1 : 1);
}

interface ListArguments extends PageArguments {
  readonly order?: 'ASC' | 'DESC';
  readonly filter?: object;
}

async function list(variables: ListArguments, on: { readonly url: string } = app): Promise<ConnectionPage> {
  const query = `query List($first: Int, $after: String, $last: Int, $before: String, $filter: ResponseFilter, $order: SortOrder! = DESC) {
    responses(first: $first, after: $after, last: $last, before: $before, filter: $filter, order: $order) { ${PAGE_FIELDS} totalCount }
  }`;
  return (await ask(on, query, { ...variables })).responses;
}

describe.each(['ASC', 'DESC'] as const)('in order %s', (order) => {
  const expected = () => (order === 'ASC' ? all : all.toReversed()).map(({ id }) => id);

  test.each([7, 30, 100])('pages of %i give every response exactly once, both ways', async (size) => {
    expect(await walk((page) => list({ ...page, order }), { size })).toEqual(expected());
    expect(await walk((page) => list({ ...page, order }), { size, backward: true })).toEqual(expected());
  });

  test('a page between two cursors holds what lies between them', async () => {
    const { edges } = await list({ first: 50, order });
    const [after, before] = [edges[9]?.cursor ?? '', edges[40]?.cursor ?? ''];
    const ids = expected();
    const first = await list({ first: 10, after, before, order });
    expect(checkPage(first)).toEqual(ids.slice(10, 20));
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    const last = await list({ last: 10, after, before, order });
    expect(checkPage(last)).toEqual(ids.slice(30, 40));
    expect(last.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    expect(checkPage(await list({ first: 100, after, before, order }))).toEqual(ids.slice(10, 40));
    expect(checkPage(await list({ last: 100, after: before, before: after, order }))).toEqual([]);
  });
});

test('a page has 20 responses, the newest first, unless told otherwise', async () => {
  const page = await list({});
  expect(checkPage(page)).toEqual(
    all
      .slice(-20)
      .reverse()
      .map(({ id }) => id),
  );
  expect(page).toMatchObject({ pageInfo: { hasNextPage: true, hasPreviousPage: false }, totalCount: 300 });
});

type Fits = (response: SeededResponse) => boolean;

const at = (ms: number) => new Date(START + ms).toISOString();
const FILTERS: readonly (readonly [name: string, filter: () => object, fits: Fits])[] = [
  ['nothing', () => ({}), () => true],
  ['nulls', () => ({ status: null, model: null, metadata: null, isRoot: null }), () => true],
  ['a status', () => ({ status: ['FAILED'] }), ({ status }) => status === 'failed'],
  ['in flight', () => ({ status: ['IN_PROGRESS'] }), ({ status }) => status === 'in_progress'],
  [
    'statuses',
    () => ({ status: ['INCOMPLETE', 'CANCELLED'] }),
    ({ status }) => /incomplete|cancelled/.test(status),
  ],
  [
    'most statuses, one of them twice',
    () => ({ status: ['IN_PROGRESS', 'FAILED', 'COMPLETED', 'FAILED', 'QUEUED'] }),
    ({ status }) => /in_progress|failed|completed/.test(status),
  ],
  ['no status', () => ({ status: [] }), () => false],
  ['a model', () => ({ model: 'other-model' }), ({ model }) => model === 'other-model'],
  ['a model without responses', () => ({ model: 'third-model' }), () => false],
  ['an empty model', () => ({ model: '' }), () => false],
  ['a model with NUL', () => ({ model: 'test-model\0' }), () => false],
  ['metadata with NUL', () => ({ metadata: { team: 'red\0' } }), () => false],
  ['metadata with half a character', () => ({ metadata: { ['\ud800']: '\udfff' } }), () => false],
  ['createdAfter', () => ({ createdAfter: at(4) }), ({ createdAt }) => Number(createdAt) > START + 4],
  ['createdBefore', () => ({ createdBefore: at(4) }), ({ createdAt }) => Number(createdAt) < START + 4],
  ['createdBefore 1970', () => ({ createdBefore: '1970-01-01T00:00:00Z' }), () => false],
  ['the first moment', () => ({ createdBefore: '0000-01-01T00:00:00Z' }), () => false],
  [
    'a span',
    () => ({ createdAfter: at(2), createdBefore: at(4) }),
    ({ createdAt }) => Number(createdAt) === START + 3,
  ],
  ['metadata', () => ({ metadata: { team: 'red' } }), ({ metadata }) => metadata['team'] === 'red'],
  ['metadata pairs', () => ({ metadata: { team: 'red', size: 'xl' } }), ({ metadata }) => 'size' in metadata],
  ['half of a pair', () => ({ metadata: { team: 'blue', size: 'xl' } }), () => false],
  ['no metadata', () => ({ metadata: {} }), () => true],
  ['metadata that cannot be', () => ({ metadata: { team: { red: 1 } } }), () => false],
  [
    'previousResponseId',
    () => ({ previousResponseId: parent }),
    ({ previousResponseId }) => previousResponseId === parent,
  ],
  ['an unknown previousResponseId', () => ({ previousResponseId: `resp_${'0'.repeat(32)}` }), () => false],
  ['a malformed previousResponseId', () => ({ previousResponseId: 'nonsense' }), () => false],
  ['an empty previousResponseId', () => ({ previousResponseId: '' }), () => false],
  ['isRoot', () => ({ isRoot: true }), ({ previousResponseId }) => previousResponseId === null],
  ['not isRoot', () => ({ isRoot: false }), ({ previousResponseId }) => previousResponseId !== null],
  ['a root that continues', () => ({ isRoot: true, previousResponseId: parent }), () => false],
  [
    'everything at once',
    () => ({
      status: ['COMPLETED', 'FAILED'],
      model: 'test-model',
      createdAfter: at(1),
      createdBefore: at(9),
      metadata: { team: 'blue' },
      previousResponseId: parent,
      isRoot: false,
    }),
    (response) =>
      /completed|failed/.test(response.status) &&
      response.model === 'test-model' &&
      Number(response.createdAt) > START + 1 &&
      Number(response.createdAt) < START + 9 &&
      response.metadata['team'] === 'blue' &&
      response.previousResponseId === parent,
  ],
];

test.each(FILTERS)(
  'the filter "%s" leaves what fits, each once, both ways, and counts it',
  async (_, filter, fits) => {
    const expected = all.filter(fits).map(({ id }) => id);
    const read = (page: PageArguments) => list({ ...page, filter: filter(), order: 'ASC' });
    expect(await walk(read, { size: 17 })).toEqual(expected);
    expect(await walk(read, { size: 100, backward: true })).toEqual(expected);
    expect((await read({ first: 1 })).totalCount).toBe(expected.length);
  },
);

test('continuations are paged as responses are, oldest first', async () => {
  const query = `query Children($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    response(id: $id) { continuations(first: $first, after: $after, last: $last, before: $before) { ${PAGE_FIELDS} totalCount } }
  }`;
  const read = async (page: PageArguments): Promise<ConnectionPage> =>
    (await ask(app, query, { id: parent, ...page })).response.continuations;
  const expected = all.filter(({ previousResponseId }) => previousResponseId === parent).map(({ id }) => id);
  expect(expected.length).toBe(50);
  expect(await walk(read, { size: 8 })).toEqual(expected);
  expect(await walk(read, { size: 8, backward: true })).toEqual(expected);
  expect((await read({})).totalCount).toBe(50);
});
