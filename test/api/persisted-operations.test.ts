import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { ANY_TRANSPORT, sendOver } from '../support/transports.ts';

const LIST = 'query List { responses { totalCount } }';
const HASH = createHash('sha256').update(LIST).digest('hex');
const START =
  'mutation Start($text: String!) { createResponse(input: { input: { text: $text } }) { response { status } } }';
const FOLLOW = 'subscription Follow($id: ID!) { responseStream(id: $id) { sequenceNumber } }';
const OTHER = '{ models { name } }';

let folder: string;
let file: string;
let app: TestApp;
let only: TestApp;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'persisted-'));
  file = await write('relay.json', { [HASH]: LIST, start: START, follow: FOLLOW });
  app = await startTestApp({ front: { persisted: { file, only: false } } });
  only = await startTestApp({ beside: app, front: { persisted: { file, only: true } } });
});

afterAll(async () => {
  await only[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function write(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const codesOf = (results: readonly { readonly errors?: readonly { readonly extensions: object }[] }[]) =>
  results.flatMap(({ errors = [] }) => errors.map(({ extensions }) => extensions));

describe.each(ANY_TRANSPORT)('over %s', (transport) => {
  test.each([
    ['documentId', { documentId: HASH }],
    ['documentId with its algorithm', { documentId: `sha256:${HASH}` }],
    ['doc_id', { doc_id: HASH }],
    ['extensions.persistedQuery', { extensions: { persistedQuery: { version: 1, sha256Hash: HASH } } }],
    ['its text', { query: LIST }],
    ['an id, whatever text stands beside it', { documentId: HASH, query: OTHER }],
  ])('a stored operation is asked for by %s', async (_, asked) => {
    for (const each of [app, only]) {
      const { results } = await sendOver(each, transport, asked);
      expect(results).toEqual([{ data: { responses: { totalCount: expect.any(Number) } } }]);
    }
  });

  test('a stored operation takes variables', async () => {
    const sent = app.upstream.exchanges.length;
    const { results } = await sendOver(only, transport, { documentId: 'start', variables: { text: 'Hi' } });
    expect(results).toEqual([{ data: { createResponse: { response: { status: 'COMPLETED' } } } }]);
    expect(app.upstream.exchanges.length).toBe(sent + 1);
  });

  test('an unknown id is said to be unknown', async () => {
    for (const each of [app, only]) {
      const { status, results, types } = await sendOver(each, transport, { documentId: 'none' });
      expect(codesOf(results)).toEqual([{ code: 'PERSISTED_OPERATION_NOT_FOUND' }]);
      if (transport === 'HTTP') expect(status).toBe(400);
      if (transport === 'WebSocket') expect(types).toEqual(['error']);
    }
  });

  test('where only stored operations run, nothing else does', async () => {
    const sent = app.upstream.exchanges.length;
    const others = [
      OTHER,
      '{ __typename }',
      '{ __schema { types { name } } }',
      `${LIST} `,
      `${START} query Extra { __typename }`,
      'mutation { createResponse(input: { input: { text: "Hi" } }) { response { id } } }',
      'subscription { responseStream(id: "x") { sequenceNumber } }',
      '{ not GraphQL',
    ];
    for (const query of others) {
      const { status, results } = await sendOver(only, transport, { query });
      expect(codesOf(results)).toEqual([{ code: 'PERSISTED_OPERATION_REQUIRED' }]);
      if (transport === 'HTTP') expect(status).toBe(400);
    }
    const both = await sendOver(only, transport, { documentId: 'none', query: OTHER });
    expect(codesOf(both.results)).toEqual([{ code: 'PERSISTED_OPERATION_NOT_FOUND' }]);
    expect(app.upstream.exchanges.length).toBe(sent);
  });

  test('elsewhere any operation runs', async () => {
    const { results } = await sendOver(app, transport, { query: '{ __typename }' });
    expect(results).toEqual([{ data: { __typename: 'Query' } }]);
  });
});

test('a stored operation is asked for by GET, by whichever id; a mutation is not', async () => {
  const get = async (parameters: Record<string, string>) => {
    const answer = await fetch(`${only.url}?${new URLSearchParams(parameters)}`, {
      headers: { accept: 'application/graphql-response+json' },
    });
    return { status: answer.status, ...JSON.parse(await answer.text()) };
  };
  const extensions = JSON.stringify({ persistedQuery: { version: 1, sha256Hash: HASH } });
  const asked: readonly Record<string, string>[] = [{ documentId: HASH }, { doc_id: HASH }, { extensions }];
  for (const parameters of asked) expect((await get(parameters)).data).toBeDefined();
  expect(await get({ query: '{ __typename }' })).toMatchObject({
    status: 400,
    errors: [{ extensions: { code: 'PERSISTED_OPERATION_REQUIRED' } }],
  });
  expect((await get({ documentId: 'start', variables: '{"text":"Hi"}' })).status).toBe(405);
});

test('a manifest of Apollo is read as well, and what is over the limits of this server is still refused', async () => {
  const operations = [{ id: 'a', name: 'List', type: 'query', body: LIST }];
  const manifest = { format: 'apollo-persisted-query-manifest', version: 1, operations };
  const persisted = { file: await write('apollo.json', manifest), only: true };
  await using apollo = await startTestApp({ beside: app, front: { persisted } });
  const { results } = await sendOver(apollo, 'HTTP', { documentId: 'a' });
  expect(results[0].data).toBeDefined();
});

test.each<[what: string, content: unknown, problem: RegExp]>([
  ['is no JSON', '{', /JSON/],
  ['has another form', ['{ a }'], /it must hold \{ "id": "document", … \} or a manifest of Apollo/],
  [
    'has a document with a syntax error',
    { broken: '{ a' },
    /operation "broken" cannot be executed: Syntax Error/,
  ],
  [
    'asks for an unknown field',
    { old: '{ gone }' },
    /operation "old" cannot be executed: Cannot query field "gone"/,
  ],
  [
    'asks for more than the limits allow',
    { wide: `{ ${'__typename '.repeat(100)} }` },
    /operation "wide" cannot be executed: Too many .* \(MAX_REPEATS\)/,
  ],
])('a file that %s stops the start with one line', async (_, content, problem) => {
  const persisted = { file: await write('wrong.json', content), only: false };
  const start = startTestApp({ beside: app, front: { persisted } });
  await expect(start).rejects.toMatchObject({
    code: 'START_FAILED',
    message: expect.stringMatching(/^PERSISTED_OPERATIONS cannot be "[^\n]*wrong\.json": [^\n]*$/),
  });
  await expect(start).rejects.toThrow(problem);
});
