import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createResponse } from '../support/graphql.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { ANY_TRANSPORT, sendOver } from '../support/transports.ts';

/** As the README's section about the internet has it. */
const IN_PRODUCTION = { isLocal: false, graphiql: false, introspection: false, getQueries: false };

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp({ front: IN_PRODUCTION });
});

afterAll(() => app[Symbol.asyncDispose]());

async function post(body: unknown) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(app.url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, ...JSON.parse(await answer.text()) };
}

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

describe('what graphql-cop looks for is not found:', () => {
  test('alias overloading', async () => {
    const { data } = await post({ query: `{ ${times(101, (n) => `alias${n}: __typename`)} }` });
    expect(data?.alias100).toBeUndefined();
  });

  test('array-based queries', async () => {
    const answer = await post(Array.from({ length: 11 }, () => ({ query: '{ __typename }' })));
    expect(answer).toMatchObject({ status: 400, errors: [{ message: 'Batching is not supported.' }] });
  });

  test('directive overloading', async () => {
    const { errors } = await post({ query: `{ __typename ${'@aa'.repeat(10)} }` });
    expect(errors.length).toBeLessThan(10);
  });

  test('circular fragments', async () => {
    const query =
      '{ __schema { ...A } } fragment A on __Schema { __typename ...B } fragment B on __Schema { ...A }';
    expect((await post({ query })).errors).toBeDefined();
  });

  test('circular introspection, and introspection at all', async () => {
    const circular =
      '{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }';
    for (const query of [circular, '{ __schema { types { name } } }', '{ __type(name: "Query") { name } }']) {
      const { data, errors } = await post({ query });
      expect(data).toBeUndefined();
      const codes = errors.map(({ extensions }: { extensions: { code: string } }) => extensions.code);
      expect(codes).toContain('INTROSPECTION_DISABLED');
    }
  });

  test('field duplication', async () => {
    expect((await post({ query: `{ ${'__typename '.repeat(500)} }` })).data).toBeUndefined();
  });

  test('queries and mutations by GET', async () => {
    for (const query of ['{__typename}', 'mutation {__typename}']) {
      const answer = await fetch(`${app.url}?${new URLSearchParams({ query })}`);
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('POST');
      expect((await answer.json()).errors[0].extensions.code).toBe('METHOD_NOT_ALLOWED');
    }
  });

  test('bodies that a form can send', async () => {
    const query = 'query={__typename}';
    const forms = [
      ['application/x-www-form-urlencoded', query],
      [
        'multipart/form-data; boundary=x',
        '--x\r\ncontent-disposition: form-data; name="query"\r\n\r\n{__typename}\r\n--x--\r\n',
      ],
      ['text/plain', '{"query":"{__typename}"}'],
      ['application/graphql', '{__typename}'],
      ['', '{"query":"{__typename}"}'],
    ];
    for (const [type = '', body = ''] of forms) {
      const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
      const answer = await fetch(app.url, { method: 'POST', headers, body: Buffer.from(body) });
      expect(answer.status).toBe(415);
      expect((await answer.json()).errors[0].extensions.code).toBe('UNSUPPORTED_MEDIA_TYPE');
    }
    const inAddress = await fetch(`${app.url}?${query}`, { method: 'POST' });
    expect(inAddress.status).toBe(415);
  });

  test('a playground', async () => {
    for (const path of ['/graphiql', '/playground', '/console', '/graphql', '/']) {
      const answer = await fetch(new URL(path, app.url), { headers: { accept: 'text/html' } });
      expect(await answer.text()).not.toMatch(/graphiql|playground/i);
    }
  });

  test('traces and unhandled errors', async () => {
    for (const query of ['query { __typename }', 'qwerty cop { abc }'])
      expect(JSON.stringify(await post({ query }))).not.toMatch(/tracing|exception|stack/i);
  });
});

describe.each(ANY_TRANSPORT)('over %s the schema is told', (transport) => {
  const WRONG: readonly { readonly [name: string]: unknown }[] = [
    { query: '{ __schema { directive } }' },
    { query: '{ response(id: "x") { outputTxt } }' },
    { query: '{ response(idd: "x") { id } }' },
    { query: '{ response(id: "x") { ... on Respons { id } } }' },
    { query: '{ responses(order: DES) { totalCount } }' },
    { query: 'query ($order: SortOrdr) { responses(order: $order) { totalCount } }' },
    {
      query: 'query ($order: SortOrder!) { responses(order: $order) { totalCount } }',
      variables: { order: 'DES' },
    },
    {
      query: 'query ($filter: ResponseFilter) { responses(filter: $filter) { totalCount } }',
      variables: { filter: { statu: 'COMPLETED' } },
    },
    {
      query:
        'subscription ($types: [ResponseEventType!]) { responseStream(id: "x", types: $types) { sequenceNumber } }',
      variables: { types: ['OUTPUT_TEXT_DELT'] },
    },
  ];

  test('by no message: nothing suggests another name', async () => {
    await using open = await startTestApp({ beside: app });
    for (const payload of WRONG) {
      const { results } = await sendOver(app, transport, payload);
      expect(results[0].errors.length).toBeGreaterThan(0);
      expect(JSON.stringify(results)).not.toMatch(/did you mean/i);
      const told = await sendOver(open, transport, payload);
      expect(JSON.stringify(told.results)).toMatch(/did you mean/i); // or this test would show nothing
    }
  });

  test('by no introspection', async () => {
    const { results } = await sendOver(app, transport, { query: '{ __schema { types { name } } }' });
    expect(results[0].errors[0].extensions).toEqual({ code: 'INTROSPECTION_DISABLED' });
  });
});

describe('in production settings, but with GET and introspection, the audits of GraphQL over HTTP:', () => {
  const named = serverAudits({ url: 'http://127.0.0.1' }).map(({ id, name }) => ({ id, name }));
  let audited: TestApp;

  beforeAll(async () => {
    audited = await startTestApp({
      beside: app,
      front: { ...IN_PRODUCTION, introspection: true, getQueries: true },
    });
  });

  afterAll(() => audited[Symbol.asyncDispose]());

  test.each(named)('$id $name', async ({ id }) => {
    const result = await serverAudits({ url: audited.url })
      .find((each) => each.id === id)
      ?.fn();
    expect(result, result && 'reason' in result ? result.reason : undefined).toMatchObject({ status: 'ok' });
  });
});

test('every answer says how browsers are to treat it, and nothing of who made it', async () => {
  await using open = await startTestApp({ beside: app });
  const { id } = await createResponse(open, { input: { text: 'Hi' } });
  const stream = `subscription { responseStream(id: "${id}") { sequenceNumber } }`;
  const answers = [
    fetch(open.url, { headers: { accept: 'text/html' } }),
    fetch(`${open.url}?query={__typename}`),
    fetch(`${open.url}?query={nothing}`),
    fetch(`${open.url}?${new URLSearchParams({ query: stream })}`, {
      headers: { accept: 'text/event-stream' },
    }),
    fetch(new URL('/health', open.url)),
    fetch(new URL('/nowhere', open.url)),
    fetch(open.url, { method: 'POST', body: '{}' }),
    fetch(open.url, { headers: { origin: 'http://evil.example' } }),
  ];
  for (const { headers } of await Promise.all(answers)) {
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': expect.stringMatching(/^no-(store|cache)/),
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    });
    for (const name of ['server', 'x-powered-by']) expect(headers.has(name)).toBe(false);
  }
});

test('the playground may run its own scripts only, and speak with its own server only', async () => {
  await using open = await startTestApp({ beside: app });
  const page = await fetch(open.url, { headers: { accept: 'text/html' } });
  const policy = page.headers.get('content-security-policy') ?? '';
  const rules = Object.fromEntries(policy.split('; ').map((rule) => [rule.split(' ', 1)[0], rule]));
  expect(rules['script-src']).toMatch(/^script-src( 'sha256-[\w+/]{43}=')+$/);
  expect(rules['connect-src']).toBe("connect-src 'self'");
  expect(rules['default-src']).toBe("default-src 'none'");
});
