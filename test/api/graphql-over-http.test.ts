import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, createResponse, type GraphQLAnswer, send } from '../support/graphql.ts';
import { startPostgresProxy } from '../support/postgres-proxy.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app[Symbol.asyncDispose]());

describe('the audits of GraphQL over HTTP:', () => {
  // Known before there is a server, so that each audit is a test of its own.
  const named = serverAudits({ url: 'http://127.0.0.1' }).map(({ id, name }) => ({ id, name }));

  test('there are 61', () => {
    expect(named).toHaveLength(61);
  });

  test.each(named)('$id $name', async ({ id }) => {
    const audit = serverAudits({ url: app.url }).find((each) => each.id === id);
    const result = await audit?.fn();
    expect(result, result && 'reason' in result ? result.reason : undefined).toMatchObject({ status: 'ok' });
  });
});

async function get(query: string, headers: { readonly [name: string]: string } = {}): Promise<Response> {
  return fetch(`${app.url}?${new URLSearchParams({ query })}`, { headers });
}

describe('GET', () => {
  test('answers a query', async () => {
    const answer = await get('{ responses { totalCount } }', { accept: 'application/graphql-response+json' });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ data: { responses: { totalCount: expect.any(Number) } } });
  });

  test('takes variables and the name of an operation', async () => {
    const query = 'query A($id: ID!) { node(id: $id) { id } } query B { __typename }';
    const search = new URLSearchParams({ query, operationName: 'A', variables: '{"id":"none"}' });
    const answer = await fetch(`${app.url}?${search}`, { headers: { accept: 'application/json' } });
    expect(await answer.json()).toEqual({ data: { node: null } });
  });

  test('refuses a mutation, and nothing is started', async () => {
    const mutation = 'mutation { createResponse(input: { input: { text: "Hi" } }) { response { id } } }';
    const answer = await get(mutation, { accept: 'application/json' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
    expect(app.upstream.exchanges).toEqual([]);
  });
});

async function post(query: string): Promise<GraphQLAnswer & { readonly status: number }> {
  const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  const answer = await fetch(app.url, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return { ...((await answer.json()) as GraphQLAnswer), status: answer.status };
}

describe('a document that cannot be executed', () => {
  test.each([
    ['has a syntax error', '{ responses {', 'Syntax Error: Expected Name, found <EOF>.'],
    ['is empty', '', 'Syntax Error: Unexpected <EOF>.'],
    [
      'selects an unknown field',
      '{ response(id: "x") { outputTxt } }',
      'Cannot query field "outputTxt" on type "Response". Did you mean "outputText"',
    ],
    [
      'forgets an argument',
      '{ response { id } }',
      'Argument "Query.response(id:)" of type "ID!" is required, but it was not provided.',
    ],
    [
      'names an unknown enum value',
      '{ responses(order: UP) { totalCount } }',
      'Value "UP" does not exist in "SortOrder" enum.',
    ],
    [
      'gives two members of a @oneOf input',
      'mutation { createResponse(input: { input: { text: "a", items: [] } }) { errors { code } } }',
      'OneOf Input Object type "ResponseInput", exactly one field must be specified',
    ],
  ])('is refused with a message when it %s', async (_, query, message) => {
    const { status, errors, ...rest } = await post(query);
    expect(status).toBe(400);
    expect(rest).toEqual({});
    expect(errors?.[0]?.message).toContain(message);
  });

  test('is refused with every error at once', async () => {
    expect((await post('{ one two three }')).errors).toHaveLength(3);
  });
});

test('introspection tells the whole schema', async () => {
  const { __schema } = await ask(
    app,
    '{ __schema { types { name description } subscriptionType { name } } }',
  );
  expect(__schema.subscriptionType).toEqual({ name: 'Subscription' });
  expect(__schema.types.length).toBeGreaterThan(100);
});

test('an event stream tells proxies not to buffer, cache or change it', async () => {
  const { id } = await createResponse(app, { input: { text: 'Hi' } });
  const answer = await fetch(app.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'accept-encoding': 'gzip' },
    body: JSON.stringify({ query: `subscription { responseStream(id: "${id}") { sequenceNumber } }` }),
  });
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': expect.stringContaining('text/event-stream'),
    'x-accel-buffering': 'no',
    'cache-control': expect.stringContaining('no-transform'),
  });
  expect(answer.headers.get('content-encoding') ?? 'none').toBe('none');
  const text = await answer.text();
  expect(text).toContain('event: next');
  expect(text.trimEnd()).toMatch(/event: complete\s*(data:.*)?$/);
});

test('an unexpected failure shows an id and nothing of its cause, and the rest of the answer stands', async () => {
  await using broken = await startTestApp();
  const { id } = await createResponse(broken, { input: { text: 'Hi' } });
  await broken.database.sql`alter table items rename column body to flesh`;
  const query = 'query Read($id: ID!) { response(id: $id) { id } responses { nodes { output { id } } } }';
  const { data, errors } = await send(broken, query, { id });
  expect(data).toEqual({ response: { id }, responses: null });
  expect(errors).toEqual([
    {
      message: 'Internal server error',
      path: ['responses', 'nodes', 0, 'output'],
      locations: expect.any(Array),
      extensions: { code: 'INTERNAL', id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    },
  ]);
  const again = await send(broken, query, { id });
  expect(again.errors?.[0]?.extensions?.['id']).not.toBe(errors?.[0]?.extensions?.['id']);
});

test('/health and /ready are ok while all is well; without the database only /health is', async () => {
  await using proxy = await startPostgresProxy(app.database.url);
  await using near = await startTestApp({ beside: app, config: { databaseUrl: proxy.url } });
  const status = async (path: string) => (await fetch(new URL(path, near.url))).status;
  expect([await status('/health'), await status('/ready')]).toEqual([200, 200]);
  await proxy.shut();
  expect([await status('/health'), await status('/ready')]).toEqual([200, 503]);
  expect((await send(near, '{ responses { totalCount } }')).errors).toMatchObject([
    { extensions: { code: 'UNAVAILABLE' } },
  ]);
});

test('a variable of the wrong type is an error with a code, which repeats no secret', async () => {
  await using app = await startTestApp();
  const query =
    'mutation ($input: CreateResponseInput!) { createResponse(input: $input) { response { id } } }';
  const refused = async (mcp: object) => {
    const tools = [{ mcp: { serverLabel: 'a', serverUrl: 'https://a.example', ...mcp } }];
    const { errors = [] } = await send(app, query, { input: { input: { text: 'x' }, tools } });
    for (const { extensions } of errors) expect(extensions?.['code']).toBe('BAD_USER_INPUT');
    return errors.map(({ message }) => message).join();
  };
  expect(await refused({ requireApproval: { mode: 'FOO' } })).toContain('FOO');
  for (const mcp of [{ headers: 'a-secret-0815' }, { authorization: { bearer: 'a-secret-0815' } }]) {
    const message = await refused(mcp);
    expect(message).toContain(`input.tools[0].mcp.${Object.keys(mcp)[0]}`);
    expect(message).not.toContain('a-secret');
  }
});
