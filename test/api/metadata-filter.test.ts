import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectDeleted } from '../support/branches.ts';
import {
  type ConnectionPage,
  checkPage,
  PAGE_FIELDS,
  type PageArguments,
  walk,
} from '../support/connection.ts';
import { ask, createResponse } from '../support/graphql.ts';
import { seedResponses } from '../support/seed.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const COUNT = 2600;
const STATUSES = ['completed', 'completed', 'completed', 'failed'] as const;

interface Row {
  readonly id: string;
  readonly status: string;
  readonly model: string;
  readonly metadata: { readonly [key: string]: string };
}

let app: TestApp;
/** The newest first. */
let all: readonly Row[];

/** Enough for lists of more and of fewer than a thousand entries, and for one that is dense at one end only. */
beforeAll(async () => {
  app = await startTestApp();
  const [one] = await seedResponses(app, [{}]);
  await app.database.sql`
    insert into responses select made.* from responses r, generate_series(1, ${COUNT - 1}::int) n,
      lateral jsonb_populate_record(r, jsonb_build_object(
        'id', 'resp_' || md5(n::text),
        'created_at', timestamptz '2026-01-01' + n / 7 * interval '1 second',
        'status', (${[...STATUSES]}::text[])[n % 4 + 1],
        'model', case when n % 400 = 0 then 'rare' else 'usual' end,
        'metadata', jsonb_strip_nulls(jsonb_build_object(
          'app', 'web',
          'half', case when n % 2 = 0 then 'yes' end,
          'third', case when n % 3 = 0 then 'yes' end,
          'early', case when n < 1300 then 'yes' end,
          'rare', case when n % 500 = 0 then 'yes' end)))) made
    where r.id = ${one?.id ?? ''}`;
  all = await app.database.sql<Row[]>`
    select id, status, model, metadata from responses order by created_at desc, id desc`;
});

afterAll(() => app[Symbol.asyncDispose]());

const QUERY = `query List($first: Int, $after: String, $last: Int, $before: String, $filter: ResponseFilter, $order: SortOrder! = DESC) {
  responses(first: $first, after: $after, last: $last, before: $before, filter: $filter, order: $order) { ${PAGE_FIELDS} totalCount }
}`;

async function list(variables: PageArguments & { readonly filter: object; readonly order?: string }) {
  const { responses } = await ask(app, QUERY, { ...variables });
  return responses as ConnectionPage & { readonly totalCount: number };
}

const pairs = (...keys: readonly string[]) =>
  Object.fromEntries(keys.map((key) => [key, key === 'app' ? 'web' : 'yes']));

test.each([
  { metadata: pairs('app') },
  { metadata: pairs('half') },
  { metadata: pairs('rare') },
  { metadata: pairs('app', 'rare') },
  { metadata: pairs('half', 'third') },
  { metadata: pairs('early', 'half', 'app') },
  { metadata: pairs('early', 'rare', 'third', 'half') },
  { metadata: { ...pairs('half'), half: 'no' } },
  { metadata: { ...pairs('app'), rare: 'no' } },
  { metadata: pairs('app'), status: ['FAILED'] },
  { metadata: pairs('early'), status: ['FAILED', 'COMPLETED'] },
  { metadata: pairs('half', 'early'), model: 'rare' },
  { metadata: pairs('app'), status: ['IN_PROGRESS', 'QUEUED'] },
  { metadata: pairs('app'), model: 'rare', status: ['COMPLETED', 'FAILED', 'CANCELLED'] },
  { metadata: pairs('app', 'third'), background: false, isRoot: true },
  { metadata: pairs('third'), isRoot: false },
  { metadata: pairs('half'), createdAfter: '2026-01-01T00:03:00Z' },
  { metadata: pairs('early', 'app'), createdBefore: '2026-01-01T00:03:00Z' },
])('%j leaves what fits, each once, in both directions and orders, and counts it', async (filter) => {
  const { metadata, status, model, createdAfter, createdBefore, isRoot } = filter as {
    metadata: { [key: string]: string };
    status?: string[];
    model?: string;
    createdAfter?: string;
    createdBefore?: string;
    isRoot?: boolean;
  };
  const times = await app.database.sql<{ id: string; at: string }[]>`
    select id, to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at from responses`;
  const at = new Map(times.map((row) => [row.id, row.at]));
  const fitting = all.filter(
    (row) =>
      Object.entries(metadata).every(([key, value]) => row.metadata[key] === value) &&
      (status === undefined || status.includes(row.status.toUpperCase())) &&
      (model === undefined || row.model === model) &&
      (createdAfter === undefined || (at.get(row.id) ?? '') > createdAfter) &&
      (createdBefore === undefined || (at.get(row.id) ?? '') < createdBefore) &&
      isRoot !== false,
  );
  const expected = fitting.map(({ id }) => id);
  expect(await walk((page) => list({ ...page, filter }), { size: 100 })).toEqual(expected);
  expect(await walk((page) => list({ ...page, filter }), { size: 100, backward: true })).toEqual(expected);
  const rising = await list({ first: 100, filter, order: 'ASC' });
  expect(checkPage(rising)).toEqual(expected.toReversed().slice(0, 100));
  expect(rising.totalCount).toBe(expected.length);
});

test('a pair is its key and its value, and of one response: no other text and no part of one is found', async () => {
  const odd = { 'a"b': 'c,d', '': '', ä: '😀', 'a\\': '\\b' };
  const { id } = await createResponse(app, { input: { text: 'Hi' }, metadata: odd });
  const found = async (metadata: object) => checkPage(await list({ first: 5, filter: { metadata } }));
  expect(await found(odd)).toEqual([id]);
  for (const [key, value] of Object.entries(odd)) expect(await found({ [key]: value })).toEqual([id]);
  for (const other of [{ 'a"b': 'c' }, { 'c,d': 'a"b' }, { ä: 1 }, { ä: null }, { ä: ['😀'] }, { '': ' ' }])
    expect(await found(other)).toEqual([]);
  await expectDeleted(app, id);
});

test('more pairs than a response can have are found in none, and cost nothing', async () => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, place) => [`key ${place}`, 'value']));
  const page = await list({ first: 5, filter: { metadata: { ...pairs('app'), ...many } } });
  expect([checkPage(page), page.totalCount]).toEqual([[], 0]);
  const most = Object.fromEntries(
    Array.from({ length: 16 }, (_, place) => [`key ${place}`, `value ${place}`]),
  );
  const { id } = await createResponse(app, { input: { text: 'Hi' }, metadata: most });
  expect(checkPage(await list({ first: 5, filter: { metadata: most } }))).toEqual([id]);
  await expectDeleted(app, id);
});

test('a deleted response is found by no pair, though a continuation keeps its items, and leaves no pair behind', async () => {
  const metadata = { ticket: 'T-1', team: 'owls' };
  const first = await createResponse(app, { input: { text: 'Hi' }, metadata });
  const second = await createResponse(app, {
    input: { text: 'Go on' },
    metadata,
    previousResponseId: first.id,
  });
  const found = async () => {
    const page = await list({ first: 5, filter: { metadata: { ticket: 'T-1' } } });
    return [checkPage(page), page.totalCount];
  };
  const left = async () =>
    (
      await app.database
        .sql`select 1 from response_metadata where response_id in ${app.database.sql([first.id, second.id])}`
    ).length;
  expect(await found()).toEqual([[second.id, first.id], 2]);
  expect(await left()).toBe(4);
  await expectDeleted(app, first.id);
  expect(await found()).toEqual([[second.id], 1]);
  expect(await left()).toBe(2);
  await expectDeleted(app, second.id);
  expect(await found()).toEqual([[], 0]);
  expect(await left()).toBe(0);
});
