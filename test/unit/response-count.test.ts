import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ResponseId } from '../../src/protocol/ids.ts';
import type { ResponseStatus } from '../../src/protocol/response.ts';
import type { ResponseFilter } from '../../src/protocol/stored.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { countUpTo } from '../../src/store/response-count.ts';
import { chooseSeed, createRandom } from '../support/random.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const SCOPE = { tenant: 'default' };
const COUNT = 5000;
const STATUSES = ['completed', 'failed', 'cancelled', 'queued'] as const;
const START = Date.parse('2026-01-01T00:00:00Z');

let place: TestDatabase;
let database: Database;

/** Seven responses share each moment, so that a moment alone tells none of them; some are deleted, some of others. */
beforeAll(async () => {
  place = await createTestDatabase();
  database = openDatabase(place.url);
  await place.sql`
    insert into responses (id, tenant, created_at, status, completed_at, model, previous_response_id, depth, settings,
      metadata, background, deleted_at)
    select 'resp_' || md5(n::text), case when n % 41 = 0 then 'other' else 'default' end,
      ${new Date(START)}::timestamptz + n / 7 * interval '1 second',
      (${[...STATUSES]}::text[])[case when n % 5 = 0 then n % 3 + 2 else 1 end], now(),
      case when n % 20 = 0 then 'rare' else 'usual' end,
      case when n % 9 = 0 then 'resp_' || md5(case when n % 2 = 0 then '1' else (n - 1)::text end) end, 0, '{}',
      jsonb_strip_nulls(jsonb_build_object(
        'app', 'web',
        'half', case when n % 2 = 0 then 'yes' end,
        'third', case when n % 3 = 0 then 'yes' end,
        'early', case when n < ${COUNT / 2}::int then 'yes' end,
        'few', case when n % 300 = 0 then 'yes' end)),
      n % 6 = 0, case when n % 43 = 0 then now() end
    from generate_series(1, ${COUNT}::int) n`;
});

afterAll(async () => {
  await database.close();
  await place[Symbol.asyncDispose]();
});

async function plainCount(filter: ResponseFilter): Promise<number> {
  const { metadata, status, model, background, previousResponseId, isRoot, createdAfter, createdBefore } =
    filter;
  const { sql } = place;
  const [row] = await sql<[{ count: number }]>`
    select count(*)::int as count from responses where tenant = 'default' and deleted_at is null
      ${metadata ? sql`and metadata @> ${JSON.stringify(metadata)}::text::jsonb` : sql``}
      ${status ? sql`and status = any(${[...status]}::text[])` : sql``}
      ${model ? sql`and model = ${model}` : sql``}
      ${typeof background === 'boolean' ? sql`and background = ${background}` : sql``}
      ${previousResponseId ? sql`and previous_response_id = ${previousResponseId}` : sql``}
      ${typeof isRoot === 'boolean' ? sql`and (previous_response_id is null) = ${isRoot}` : sql``}
      ${typeof createdAfter === 'number' ? sql`and created_at > ${new Date(createdAfter)}` : sql``}
      ${typeof createdBefore === 'number' ? sql`and created_at < ${new Date(createdBefore)}` : sql``}`;
  return row.count;
}

function randomFilter(draw: (limit: number) => number, continued: ResponseId): ResponseFilter {
  const maybe = <Part extends object>(part: Part) => (draw(3) === 0 ? part : {});
  const pick = <Value>(values: readonly Value[]) => values.filter(() => draw(2) === 0);
  const keys = draw(4) === 0 ? [] : pick(['half', 'third', 'early', 'few']);
  const statuses: readonly ResponseStatus[] = pick(STATUSES);
  return {
    ...maybe({ status: [...statuses, ...statuses.slice(0, 1)] }),
    ...maybe({ model: draw(2) === 0 ? 'rare' : 'usual' }),
    ...maybe({ background: draw(2) === 0 }),
    ...maybe({ isRoot: draw(2) === 0 }),
    ...maybe({ createdAfter: START + draw(COUNT / 7) * 1000 }),
    ...maybe({ createdBefore: START + draw(COUNT / 7) * 1000 }),
    ...(draw(8) === 0 ? { previousResponseId: continued } : {}),
    ...maybe({
      metadata: { ...Object.fromEntries(keys.map((key) => [key, 'yes'])), ...maybe({ app: 'web' }) },
    }),
  };
}

const seed = chooseSeed();

test(`a count is that of all which fit, in however many batches it is made, and no larger than asked for (seed ${seed})`, async () => {
  const draw = createRandom(seed);
  const [continued] = await place.sql<[{ id: ResponseId }]>`select 'resp_' || md5('1') as id`;
  const listing = (filter: ResponseFilter) => ({ scope: SCOPE, filter });
  for (let round = 0; round < 150; round++) {
    const filter = randomFilter(draw, continued.id);
    const count = await plainCount(filter);
    const enough = [1, 7, 100, 1000, COUNT + 1][draw(5)] ?? 1;
    expect(
      [filter, await countUpTo(database, listing(filter), enough)],
      `at most ${enough} of ${JSON.stringify(filter)}`,
    ).toEqual([filter, Math.min(count, enough)]);
  }
});
