import { expect, test } from 'vitest';
import {
  type ConnectionPage,
  checkPage,
  PAGE_FIELDS,
  type PageArguments,
  walk,
} from '../support/connection.ts';
import { ask } from '../support/graphql.ts';
import { type SeededResponse, seedResponses } from '../support/seed.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const START = Date.UTC(2026, 0, 1);

const QUERY = `query List($first: Int, $after: String, $last: Int, $before: String, $order: SortOrder! = DESC) {
  responses(first: $first, after: $after, last: $last, before: $before, order: $order) { ${PAGE_FIELDS} }
}`;

async function list(
  app: TestApp,
  variables: PageArguments & { readonly order?: string },
): Promise<ConnectionPage> {
  return (await ask(app, QUERY, { ...variables })).responses;
}

/** So many responses, a second apart. */
async function seedApart(app: TestApp, count: number): Promise<readonly SeededResponse[]> {
  return seedResponses(
    app,
    Array.from({ length: count }, (_, index) => ({ createdAt: atSecond(index) })),
  );
}

function atSecond(second: number): Date {
  return new Date(START + second * 1000);
}

async function remove(app: TestApp, id: string): Promise<void> {
  const mutation = 'mutation Delete($id: ID!) { deleteResponse(input: { id: $id }) { deletedId } }';
  expect((await ask(app, mutation, { id })).deleteResponse.deletedId).toBe(id);
}

test.each([
  { order: 'ASC', backward: false },
  { order: 'ASC', backward: true },
  { order: 'DESC', backward: false },
  { order: 'DESC', backward: true },
])(
  'what stands throughout comes exactly once in $order (backward: $backward), whatever comes and goes',
  async ({ order, backward }) => {
    await using app = await startTestApp();
    const seeded = await seedApart(app, 60);
    // The way through time that the walk takes.
    const step = (order === 'ASC') !== backward ? 1 : -1;
    const gone = new Set<string>();
    const coming: string[] = [];
    const behind: string[] = [];
    const seen = await walk(
      (page) => list(app, { ...page, order }),
      { size: 6, backward },
      async ({ nodes }) => {
        const edge = backward ? nodes[0] : nodes.at(-1);
        const [row] = await app.database.sql`select created_at from responses where id = ${edge?.id ?? ''}`;
        const end = Number(row?.['created_at']);
        // Goes: the response at the cursor, one that was read and one that is still to come.
        const ahead = seeded.find(
          ({ id, createdAt }) => (Number(createdAt) - end) * step > 1000 && !gone.has(id),
        );
        for (const id of new Set([edge?.id, nodes.at(2)?.id, ahead?.id])) {
          if (id === undefined) continue;
          await remove(app, id);
          gone.add(id);
        }
        // Comes: one behind the walk, which it must not find, and one before it, which it must.
        const [missed, found] = await seedResponses(app, [
          { createdAt: new Date(end - 10 * step) },
          { createdAt: new Date(end + 10 * step) },
        ]);
        coming.push(found?.id ?? '');
        behind.push(missed?.id ?? '');
      },
    );
    expect(new Set(seen).size).toBe(seen.length);
    const standing = seeded.filter(({ id }) => !gone.has(id)).map(({ id }) => id);
    expect(seen.filter((id) => standing.includes(id))).toEqual(
      order === 'ASC' ? standing : standing.toReversed(),
    );
    expect(coming.filter((id) => !gone.has(id) && !seen.includes(id))).toEqual([]);
    expect(behind.filter((id) => seen.includes(id))).toEqual([]);
  },
);

test('a page tells what lies around it also after the responses at its edges were deleted', async () => {
  await using app = await startTestApp();
  const seeded = await seedApart(app, 6);
  const [a, b, c, d, e, f] = seeded.map(({ id }) => id) as [string, string, string, string, string, string];
  const { edges } = await list(app, { first: 6, order: 'ASC' });
  const cursor = (id: string) => edges.find(({ node }) => node.id === id)?.cursor ?? '';
  await remove(app, b);
  const behindA = await list(app, { first: 2, after: cursor(b), order: 'ASC' });
  expect(checkPage(behindA)).toEqual([c, d]);
  expect(behindA.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: true });
  await remove(app, a);
  const atStart = await list(app, { first: 2, after: cursor(b), order: 'ASC' });
  expect(checkPage(atStart)).toEqual([c, d]);
  expect(atStart.pageInfo).toMatchObject({ hasPreviousPage: false, hasNextPage: true });
  await remove(app, f);
  const atEnd = await list(app, { last: 2, before: cursor(f), order: 'ASC' });
  expect(checkPage(atEnd)).toEqual([d, e]);
  expect(atEnd.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
  const beyond = await list(app, { first: 2, after: cursor(f), order: 'ASC' });
  expect(checkPage(beyond)).toEqual([]);
  expect(beyond.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
});

test('totalCount counts to 10000 and is null for more', async () => {
  await using app = await startTestApp();
  const { sql } = app.database;
  const [one] = await seedResponses(app, [{}]);
  const copy = (from: number, to: number) => sql`
    insert into responses select made.* from responses r, generate_series(${from}::int, ${to}::int) n,
      lateral jsonb_populate_record(r, jsonb_build_object('id', 'resp_' || md5(n::text))) made
    where r.id = ${one?.id ?? ''}`;
  const count = async () => (await ask(app, '{ responses(first: 1) { totalCount } }')).responses.totalCount;
  await copy(2, 10_000);
  expect(await count()).toBe(10_000);
  await copy(10_001, 10_001);
  expect(await count()).toBeNull();
});
