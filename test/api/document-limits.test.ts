import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CREATE, createResponse, RESPONSE_FIELDS } from '../support/graphql.ts';
import { STREAM } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { ANY_TRANSPORT, sendOver } from '../support/transports.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app[Symbol.asyncDispose]());

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

const nested = (count: number, open: string, inner: string, close: string) =>
  open.repeat(count) + inner + close.repeat(count);

/** Fragments that each spread the next one three times: three to the power of their number. */
const bomb = (length: number) => `{ response(id: "x") { ...F0 } }
  ${times(length, (n) => `fragment F${n} on Response { ${times(3, (m) => `a${m}: previousResponse { ...F${n + 1} }`)} }`)}
  fragment F${length} on Response { id }`;

const PAGES = `query ($n: Int) {
  responses(first: $n) { nodes { continuations(first: $n) { nodes { inputItems(first: $n) { nodes { id } } } } } }
}`;

const CASES: readonly (readonly [limit: string, what: string, payload: { [name: string]: unknown }])[] = [
  ['MAX_TOKENS', 'a document of many tokens', { query: `{ ${times(5000, (n) => `f${n}`)} }` }],
  ['MAX_TOKENS', 'megabytes of a document', { query: `{ ${'a '.repeat(2_000_000)} }` }],
  [
    'MAX_DEPTH',
    'fields within fields',
    { query: `{ __schema { types ${nested(10, '{ fields { type ', '{ name }', ' } }')} } }` },
  ],
  [
    'MAX_DEPTH',
    'lists that the parser cannot hold',
    { query: `{ node(id: ${nested(2400, '[', '1', ']')}) { id } }` },
  ],
  ['MAX_ALIASES', 'many aliases', { query: `{ ${times(101, (n) => `alias${n}: __typename`)} }` }],
  ['MAX_DIRECTIVES', 'many directives', { query: `{ __typename ${'@skip(if: false) '.repeat(51)} }` }],
  ['MAX_DIRECTIVES', 'many unknown directives', { query: `{ __typename ${'@aa'.repeat(500)} }` }],
  ['MAX_REPEATS', 'the same field', { query: `{ ${'__typename '.repeat(500)} }` }],
  [
    'MAX_REPEATS',
    'the same field in inline fragments',
    { query: `{ ${'... { __typename } '.repeat(500)} }` },
  ],
  [
    'MAX_REPEATS',
    'the same fragment',
    { query: `{ ${'...F '.repeat(500)} } fragment F on Query { __typename }` },
  ],
  [
    'MAX_OPERATIONS',
    'many operations',
    { query: times(11, (n) => `query Q${n} { __typename }`), operationName: 'Q0' },
  ],
  ['MAX_COST', 'pages within pages', { query: PAGES.replace('query ($n: Int)', '').replaceAll('$n', '100') }],
  ['MAX_COST', 'pages whose size a variable says', { query: PAGES, variables: { n: 100 } }],
  [
    'MAX_COST',
    'pages whose size a variable says by default',
    { query: PAGES.replace('$n: Int', '$n: Int = 100') },
  ],
  ...['constructor', '__proto__'].map(
    (name) =>
      [
        'MAX_COST',
        `pages whose size a variable "${name}" says by default`,
        { query: PAGES.replace('$n: Int', '$n: Int = 100').replaceAll('$n', `$${name}`) },
      ] as const,
  ),
  [
    'MAX_COST',
    'pages whose negative size would make others cheap',
    {
      query: `{ ${PAGES.slice(PAGES.indexOf('responses'), PAGES.lastIndexOf('}')).replaceAll('$n', '100')}
        a: responses(first: -1000000) { nodes { id } } }`,
    },
  ],
  [
    'MAX_COST',
    'nodes by thousands of ids',
    {
      query: `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Response { ...ResponseFields } } } ${RESPONSE_FIELDS}`,
      variables: { ids: Array.from({ length: 5000 }, () => 'resp_1') },
    },
  ],
  ['MAX_COST', 'fragments that multiply each other', { query: bomb(13) }],
  ['MAX_COST', 'fragments that multiply each other beyond counting', { query: bomb(150) }],
];

describe.each(ANY_TRANSPORT)('over %s', (transport) => {
  test.each(CASES)('%s refuses %s', async (limit, _, payload) => {
    const { status, results } = await sendOver(app, transport, payload);
    expect(results).toEqual([
      {
        errors: expect.arrayContaining([
          expect.objectContaining({
            message: expect.stringContaining(`(${limit})`),
            extensions: expect.objectContaining({ code: 'OPERATION_LIMIT_EXCEEDED', limit }),
          }),
        ]),
      },
    ]);
    if (transport === 'HTTP') expect(status).toBe(400);
    expect(status ?? 0).toBeLessThan(500);
  });

  test('a fragment that spreads itself is refused, however it does', async () => {
    const query =
      '{ __schema { ...A } } fragment A on __Schema { __typename ...B } fragment B on __Schema { ...A }';
    const { results } = await sendOver(app, transport, { query });
    expect(results[0].errors[0].message).toMatch(/Cannot spread fragment "A" within itself/);
    expect(results[0].errors[0].extensions).toEqual({ code: 'GRAPHQL_VALIDATION_FAILED' });
  });

  test('a document that is none has the same code', async () => {
    const { results } = await sendOver(app, transport, { query: '{ a' });
    expect(results[0].errors[0].extensions).toEqual({ code: 'GRAPHQL_PARSE_FAILED' });
  });

  test('what the playground and clients ask for is answered', async () => {
    const { id } = await createResponse(app, { input: { text: 'Hi' } });
    const page = `query ($n: Int!) { responses(first: $n) { edges { cursor node { ...ResponseFields } } } }`;
    const asked = [
      { query: getIntrospectionQuery() },
      { query: CREATE, variables: { input: { input: { text: 'Hi' } } } },
      ...(transport === 'HTTP' ? [] : [{ query: STREAM, variables: { id } }]),
      { query: `${page} ${RESPONSE_FIELDS}`, variables: { n: 100 } },
      { query: PAGES, variables: { n: 10 } },
    ];
    for (const payload of asked) {
      const { results } = await sendOver(app, transport, payload);
      expect(results.length).toBeGreaterThan(0);
      for (const { errors } of results) expect(errors).toBeUndefined();
    }
  });
});

test('a limit can be set, and refuses from one more on', async () => {
  await using strict = await startTestApp({
    beside: app,
    documents: { maxDepth: 2, maxCost: 41, maxAliases: 1 },
  });
  const limitsOf = async (query: string) => {
    const { results } = await sendOver(strict, 'HTTP', { query });
    return results[0].errors?.map(({ extensions }: { extensions: object }) => extensions) ?? 'answered';
  };
  expect(await limitsOf('{ responses { nodes { id } } }')).toMatchObject([
    { limit: 'MAX_DEPTH', allowed: 2, counted: 3 },
  ]);
  expect(await limitsOf('{ a: models { name } }')).toBe('answered');
  expect(await limitsOf('{ a: models { name } b: models { name } }')).toMatchObject([
    { limit: 'MAX_ALIASES', allowed: 1, counted: 2 },
  ]);
  expect(await limitsOf('{ responses(first: 40) { __typename totalCount } }')).toBe('answered');
  expect(await limitsOf('{ responses(first: 41) { nodes { __typename } } }')).toMatchObject([
    { limit: 'MAX_DEPTH' },
    { limit: 'MAX_COST', allowed: 41, counted: 43 },
  ]);
});
