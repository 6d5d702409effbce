import { expect, test } from 'vitest';
import { ask } from '../support/graphql.ts';
import { startPostgresProxy } from '../support/postgres-proxy.ts';
import { seedResponses } from '../support/seed.ts';
import { startTestApp } from '../support/test-app.ts';

/** So slow that no query of a lease falls into a test. */
const lease = { leaseMs: 600_000, renewMs: 300_000, sweepMs: 300_000 };

const FIELDS = `
  id status outputText usage { totalTokens }
  output { id status response { id } }
  pendingItems { id }
  previousResponse { id outputText output { id } pendingItems { id } }`;

test.each([
  ['responses', `query Page($first: Int!) { responses(first: $first) { nodes { ${FIELDS} } } }`],
  [
    'items of nodes',
    `query Page($ids: [ID!]!) { nodes(ids: $ids) { id ... on Response { ${FIELDS} } ... on Item { response { id } } } }`,
  ],
])('a page of 50 %s takes no more queries than a short one may', async (_, query) => {
  await using stored = await startTestApp();
  await using proxy = await startPostgresProxy(stored.database.url);
  await using app = await startTestApp({
    beside: stored,
    config: { databaseUrl: proxy.url },
    timing: { lease },
  });
  const parents = await seedResponses(
    stored,
    Array.from({ length: 25 }, () => ({ createdAt: new Date(0) })),
  );
  const children = Array.from({ length: 50 }, (_, index) => ({
    previousResponseId: parents[index % 25]?.id ?? null,
    status: index % 10 === 0 ? ('in_progress' as const) : ('completed' as const),
  }));
  const seeded = await seedResponses(stored, children);
  const rows = await stored.database.sql<
    { id: string; response_id: string }[]
  >`select id, response_id from items`;
  const itemIds = new Map(rows.map((row) => [row.response_id, row.id]));

  const queriesFor = async (count: number) => {
    const ids = seeded.slice(0, count).flatMap(({ id }) => [id, itemIds.get(id)]);
    const before = proxy.executed;
    const data = await ask(app, query, { first: count, ids });
    const nodes = data.nodes ?? data.responses.nodes;
    expect(nodes).toHaveLength(data.nodes ? 2 * count : count);
    expect(nodes).not.toContain(null);
    for (const node of nodes)
      if (node.status === 'COMPLETED')
        expect(node).toMatchObject({ outputText: 'ok', previousResponse: { outputText: 'ok' } });
    return proxy.executed - before;
  };
  await queriesFor(50); // the first one opens connections, which ask for types
  // Which loads fall into one step may differ by a few; what one query more for each row would cost does not.
  expect(await queriesFor(2)).toBeGreaterThan(2);
  expect(await queriesFor(50)).toBeLessThanOrEqual(14);
});
