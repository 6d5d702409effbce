import { afterAll, beforeAll, expect, test } from 'vitest';
import { calls, hangsAfter, startChatServer } from '../support/chat-server.ts';
import { ask, create, createResponse } from '../support/graphql.ts';
import { type McpTestServer, startMcpServer } from '../support/mcp-server.ts';
import { isHousekeeping, type PostgresProxy, startPostgresProxy } from '../support/postgres-proxy.ts';
import { pendingItems } from '../support/run.ts';
import { type Ground, startTestApp, type TestApp } from '../support/test-app.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { answer, call, mcpAsking } from '../support/tools.ts';

let ground: Ground;
let proxy: PostgresProxy;
let app: TestApp;
let server: McpTestServer;

beforeAll(async () => {
  ground = { upstream: await startChatServer(), database: await createTestDatabase() };
  proxy = await startPostgresProxy(ground.database.url);
  app = await startTestApp({ beside: ground, config: { databaseUrl: proxy.url } });
  server = await startMcpServer({ tools: { write: {} } });
});

afterAll(async () => {
  for (const each of [app, proxy, ground.upstream, ground.database, server])
    await each[Symbol.asyncDispose]();
});

/** What the statements of a request do; the first that fits. */
const KINDS: readonly (readonly [kind: string, text: RegExp])[] = [
  ['insert', /insert into responses/],
  ['branch', /with recursive branch/],
  ['key', /from idempotency_keys/],
  ['approvals', /type = 'mcp_approval_request'/],
  ['references', /from items i join responses r/],
];

/** The kinds of the statements since there were `before` of all; of one that is unknown, its text. Runs commit beside. */
function kindsSince(before: number): readonly string[] {
  return proxy.statements.slice(before).flatMap((text) => {
    const [kind] = KINDS.find(([, words]) => words.test(text)) ?? [text];
    return kind === text && (isHousekeeping(text) || /logged as/.test(text)) ? [] : [kind];
  });
}

/** The statements that a request takes until it is answered, beside the commits of its run. */
async function statementsFor(input: { readonly [name: string]: unknown }): Promise<readonly string[]> {
  const before = proxy.executed;
  await createResponse(app, input);
  return kindsSince(before);
}

const text = { text: 'Hi' };
const message = { message: { content: text } };

test('a request that goes back to nothing is one insert', async () => {
  expect(await statementsFor({ input: text })).toEqual(['insert']);
  expect(await statementsFor({ input: text, store: false })).toEqual([]);
});

test('a continuation reads its branch in one statement, however long it is', async () => {
  let previousResponseId = (await createResponse(app, { input: text })).id;
  for (let turn = 0; turn < 3; turn++) {
    expect(await statementsFor({ input: text, previousResponseId })).toEqual(['branch', 'insert']);
    previousResponseId = (await createResponse(app, { input: text, previousResponseId })).id;
  }
});

test('an idempotency key is looked up in one statement; so is what it was used for', async () => {
  const input = { input: text, idempotencyKey: 'once' };
  expect(await statementsFor(input)).toEqual(['key', 'insert']);
  const before = proxy.executed;
  const { errors } = await create(app, { ...input, input: { text: 'Ho' } });
  expect(errors).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH' }]);
  expect(kindsSince(before)).toEqual(['key']);
});

test('references, approvals, a branch and a key are each one statement more, and nothing else is', async () => {
  const { id, output } = await createResponse(app, { input: text });
  const reference = { itemReference: output[0].id };
  expect(await statementsFor({ input: { items: [reference, reference] } })).toEqual(['references', 'insert']);

  app.upstream.enqueue(calls([call('write')]));
  const tools = [mcpAsking('disk', server)];
  const asking = await createResponse(app, { input: text, previousResponseId: id, tools });
  const [request] = await pendingItems(app, asking.id);
  const items = [answer(request.id, false), reference, message];
  const everything = { input: { items }, previousResponseId: asking.id, idempotencyKey: 'everything' };
  const kinds = await statementsFor(everything);
  expect(kinds.toSorted()).toEqual(['approvals', 'branch', 'insert', 'key', 'references']);
  expect(kinds.at(-1)).toBe('insert');
});

test('the log of what is in flight is read only for what it alone tells', async () => {
  app.upstream.enqueue(hangsAfter('half'));
  const { id } = await createResponse(app, { input: text, stream: true });
  const logsFor = async (fields: string) => {
    const before = proxy.executed;
    const page = `responses(first: 1) { nodes { ${fields} } }`;
    const { responses } = await ask(app, `query R($id: ID!) { response(id: $id) { ${fields} } ${page} }`, {
      id,
    });
    expect(responses.nodes).toHaveLength(1);
    return kindsSince(before).filter((kind) => /body from events\s+where response_id = any/.test(kind))
      .length;
  };
  expect(await logsFor('id status model createdAt completedAt streamCursor metadata error { code }')).toBe(0);
  for (const field of ['output { id }', 'outputText', 'usage { totalTokens }'])
    expect(await logsFor(`id status ${field}`)).toBe(1);
});

test('what is refused is read once', async () => {
  app.upstream.enqueue(hangsAfter('half'));
  const { id } = await createResponse(app, { input: text, stream: true });
  const before = proxy.executed;
  const { errors } = await create(app, { input: text, previousResponseId: id, temperature: 9 });
  expect(errors).toMatchObject([{ code: 'INVALID_INPUT' }, { code: 'PREVIOUS_RESPONSE_NOT_ENDED' }]);
  expect(kindsSince(before)).toEqual(['branch']);
});
