import { isInterfaceType, isObjectType } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import type { ConnectionPage } from '../support/connection.ts';
import { seenIn } from '../support/deep-query.ts';
import { LISTED, seedFamilies } from '../support/families.ts';
import { ask } from '../support/graphql.ts';
import { isHousekeeping, type PostgresProxy, startPostgresProxy } from '../support/postgres-proxy.ts';
import { type SearchingApp, startSearchingApp } from '../support/searching-app.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { selectDeep } from '../support/wide-query.ts';

/** So slow that no statement of a lease falls into a test. */
const lease = { leaseMs: 600_000, renewMs: 300_000, sweepMs: 300_000 };

let stored: SearchingApp;
let proxy: PostgresProxy;
let app: TestApp;

beforeAll(async () => {
  stored = await startSearchingApp();
  await seedFamilies(stored, 50);
  proxy = await startPostgresProxy(stored.database.url);
  const documents = { maxCost: 5_000_000 }; // more than any client selects at once
  app = await startTestApp({
    beside: stored,
    config: { databaseUrl: proxy.url },
    timing: { lease },
    documents,
  });
});

afterAll(async () => {
  for (const each of [app, proxy, stored]) await each[Symbol.asyncDispose]();
});

/** What a query gives, and how many statements it takes. */
async function look(query: string, variables: { readonly [name: string]: unknown }) {
  const before = proxy.executed;
  const data = await ask(app, query, variables);
  const statements = proxy.statements.slice(before).filter((text) => !isHousekeeping(text)).length;
  return { data, statements };
}

const PAGE = `
  query Page($first: Int!, $metadata: JSONObject!) {
    responses(first: $first, filter: { metadata: $metadata }) {
      totalCount
      nodes { ...Response4 }
    }
  }
  ${selectDeep('Response', 4)}`;

const pageOf = async (first: number) => {
  const { data, statements } = await look(PAGE, { first, metadata: LISTED });
  expect(data.responses.nodes).toHaveLength(first);
  return { nodes: data.responses.nodes, statements };
};

test('a page of 100 with everything selected takes as many statements as one of 2', async () => {
  const { nodes } = await pageOf(100); // the first one opens connections
  const { statements } = await pageOf(2);
  expect(statements).toBeGreaterThan(2);
  expect([(await pageOf(50)).statements, (await pageOf(100)).statements]).toEqual([statements, statements]);

  // And wherever there can be something to read, there was.
  const item = schema.getType('Item');
  const items = isInterfaceType(item) ? schema.getPossibleTypes(item) : [];
  const types = ['Response', 'ResponseConnection', 'ItemConnection'].map((name) => schema.getType(name));
  const fields = [...types, ...items].flatMap((type) =>
    isObjectType(type) ? Object.keys(type.getFields()).map((name) => `${type.name}.${name}`) : [],
  );
  const seen = seenIn(nodes);
  expect(fields.filter((field) => !seen.has(field))).toEqual([]);
}, 60_000);

test('500 items with everything selected take as many statements as half of them', async () => {
  const query = `query Items($ids: [ID!]!) { nodes(ids: $ids) { ...Item3 } } ${selectDeep('Item', 3)}`;
  // Of fifty conversations alike, in no order: either half has items of every kind.
  const rows = await stored.database.sql<{ id: string }[]>`select id from items order by md5(id) limit 500`;
  const ids = rows.map(({ id }) => id);
  await look(query, { ids });
  const { statements } = await look(query, { ids: ids.slice(0, 250) });
  expect((await look(query, { ids })).statements).toBe(statements);
}, 30_000);

const LISTS = `
  continuations(last: 1, before: $before) { ...Responses }
  since: continuations(first: 5, after: $after) { ...Responses }
  inputItems(last: 2, order: ASC) { ...Items }
  own: inputItems(first: 1, scope: OWN) { ...Items }`;

const PARTS = `
  fragment Responses on ResponseConnection {
    totalCount edges { cursor node { id status outputText streamCursor } }
    pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
  }
  fragment Items on ItemConnection {
    totalCount edges { cursor node { id response { id } } }
    pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
  }`;

test('each response of a page reads as it does alone, its lists between cursors too', async () => {
  const signature = '$before: String, $after: String';
  const page = `query Page(${signature}) { responses(first: 40) { edges { cursor node { id ${LISTS} } } } } ${PARTS}`;
  const alone = `query Alone(${signature}, $id: ID!) { response(id: $id) { id ${LISTS} } } ${PARTS}`;
  const { edges } = (await ask(app, page)).responses;
  // A cursor in the middle: some have their continuations before it, some after it, and one on both sides.
  const cursor = edges[16].cursor;
  const between = { before: cursor, after: cursor };
  const { data, statements } = await look(page, between);
  expect(statements).toBe(10);
  for (const { node } of data.responses.edges)
    expect((await ask(app, alone, { id: node.id, ...between })).response).toEqual(node);
  const sides = data.responses.edges.map(({ node }: { readonly node: Sides }) => [
    node.continuations.pageInfo.hasNextPage,
    node.since.pageInfo.hasPreviousPage,
  ]);
  expect(new Set(sides.map(String))).toEqual(
    new Set(['false,false', 'true,false', 'false,true', 'true,true']),
  );
}, 30_000);

interface Sides {
  readonly continuations: ConnectionPage;
  readonly since: ConnectionPage;
}
