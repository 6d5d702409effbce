import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, create, createResponse, send } from '../support/graphql.ts';
import { openSocket } from '../support/raw-socket.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const CREATE = `mutation Create($input: CreateResponseInput!) {
  createResponse(input: $input) {
    response { tools { ... on FunctionTool { parameters } } }
    errors { code path }
  }
}`;

async function post(body: string | Uint8Array) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(app.url, { method: 'POST', headers, body: Buffer.from(body) });
  return { status: answer.status, text: await answer.text() };
}

/** A request whose JSON is written by hand, as a variable and as a literal of the document. */
async function withParameters(json: string, literal = json) {
  const rest = `"input":{"text":"Hi"},"tools":[{"function":{"name":"f","parameters":${json}}}]`;
  const inDocument = CREATE.replace('($input: CreateResponseInput!)', '').replace(
    '$input',
    `{ input: { text: "Hi" }, tools: [{ function: { name: "f", parameters: ${literal} } }] }`,
  );
  const answers = await Promise.all([
    post(`{"query":${JSON.stringify(CREATE)},"variables":{"input":{${rest}}}}`),
    post(JSON.stringify({ query: inDocument })),
  ]);
  return answers.map(({ text }) => JSON.parse(text));
}

describe('JSON in a request', () => {
  test.each([
    ['100 levels', `{"a":${nested(98)}}`, `{a:${nested(98)}}`],
    [
      'own keys of odd names',
      '{"__proto__":{"constructor":{"toString":1}}}',
      '{__proto__:{constructor:{toString:1}}}',
    ],
    ['the largest whole numbers', '{"a":[9007199254740991,-9007199254740991,0,1.5e-300,0.1]}', undefined],
  ])('is kept and comes back: %s', async (_, json, literal = json.replace('"a"', 'a')) => {
    for (const { data } of await withParameters(json, literal)) {
      expect(data.createResponse.errors).toEqual([]);
      expect(JSON.stringify(data.createResponse.response.tools[0].parameters)).toBe(
        JSON.stringify(JSON.parse(json)),
      );
    }
    expect(Object.hasOwn(Object.prototype, 'constructor') && !('toString' in Object.create(null))).toBe(true);
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  test.each([
    ['101 levels', `{"a":${nested(101)}}`, `{a:${nested(101)}}`],
    ['a number beyond all', '{"a":1e999}', '{a:1e999}'],
    ['a negative zero', '{"a":[-0]}', '{a:[-0]}'],
    ['2^53', '{"a":{"b":9007199254740993}}', '{a:{b:9007199254740993}}'],
  ])('is refused by name: %s', async (_, json, literal) => {
    for (const { data } of await withParameters(json, literal)) {
      expect(data.createResponse).toEqual({
        response: null,
        errors: [{ code: 'INVALID_INPUT', path: ['tools', '0', 'function', 'parameters'] }],
      });
    }
  });

  test.each([1000, 10_000, 200_000])(
    'nested %i levels deep is refused wherever it stands',
    async (levels) => {
      const deep = 'DEEP';
      const input = { input: { text: 'Hi' } };
      const inputs = [
        { ...input, tools: [{ function: { name: 'f', parameters: { deep } } }], idempotencyKey: 'deep' },
        { ...input, metadata: { deep } },
        { ...input, text: { format: { jsonSchema: { name: 'f', schema: { deep } } } } },
        {
          input: {
            items: [{ mcpListTools: { serverLabel: 'a', tools: [{ name: 'a', inputSchema: { deep } }] } }],
          },
        },
        {
          ...input,
          tools: [{ mcp: { serverLabel: 'a', serverUrl: 'http://127.0.0.1/', headers: { deep } } }],
        },
      ];
      for (const each of inputs) {
        const body = JSON.stringify({ query: CREATE, variables: { input: each } }).replace(
          '"DEEP"',
          nested(levels),
        );
        expect(JSON.parse((await post(body)).text).data.createResponse.errors).toMatchObject([
          { code: 'INVALID_INPUT' },
        ]);
      }
      const filter = `{"query":"query($f: ResponseFilter) { responses(filter: $f) { nodes { id } } }","variables":{"f":{"metadata":{"a":${nested(levels)}}}}}`;
      expect(JSON.parse((await post(filter)).text)).toEqual({ data: { responses: { nodes: [] } } });
    },
  );
});

test.each([
  ['selections', '{a'.repeat(5000) + '}'.repeat(5000)],
  ['lists', `{ nodes(ids: ${nested(5000)}) { id } }`],
  ['what is not even closed', '{['.repeat(100_000)],
])('a document of %s, thousands within each other, is refused on all transports', async (_, query) => {
  expect((await send(app, query)).errors).toMatchObject([
    { extensions: { code: 'OPERATION_LIMIT_EXCEEDED' } },
  ]);
  const socket = await openSocket(app);
  socket.subscribe('1', query);
  await expect
    .poll(() => socket.messages.at(-1))
    .toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'OPERATION_LIMIT_EXCEEDED' } }],
    });
  socket.socket.close();
});

test('what is in strings and comments of a document is not nested', async () => {
  const query = `{ # ${'{'.repeat(500)}
    a: node(id: "${'['.repeat(500)} \\" ${'{'.repeat(500)}") { id }
    b: node(id: """ ${'('.repeat(500)} " \\""" ${'('.repeat(500)} """) { id }
  }`;
  expect(await send(app, query)).toEqual({ data: { a: null, b: null } });
});

test('of a request with unknown fields beside much text, the text is not repeated', async () => {
  const fields = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`field${at}`, at]));
  const body = JSON.stringify({
    query: CREATE,
    variables: { input: { input: { text: 'x'.repeat(5_000_000) }, ...fields } },
  });
  const { status, text } = await post(body);
  expect(status).toBe(400);
  expect(text).toContain('"field0\\" of CreateResponseInput');
  expect(text.length).toBeLessThan(1000);
});

test('a wrong value is quoted up to some length only', async () => {
  const { status, text } = await post(
    JSON.stringify({ query: CREATE, variables: { input: 'x'.repeat(100_000) } }),
  );
  expect(status).toBe(400);
  expect(text.length).toBeLessThan(2000);
});

test.each([
  [
    'a list of lists',
    {
      input: {
        items: Array.from({ length: 10 }, () => ({
          message: { content: { parts: new Array(9999).fill({ text: '' }) } },
        })),
      },
    },
  ],
  [
    'JSON',
    {
      input: { text: '' },
      tools: [{ function: { name: 'f', parameters: { a: new Array(200_001).fill(0) } } }],
    },
  ],
])('what would keep the server busy is refused before it is looked at: %s', async (_, input) => {
  const { status, text } = await post(JSON.stringify({ query: CREATE, variables: { input } }));
  expect(status).toBe(400);
  expect(JSON.parse(text).errors).toMatchObject([
    { message: expect.stringContaining('holds too much'), extensions: { code: 'BAD_USER_INPUT' } },
  ]);
  const socket = await openSocket(app);
  socket.subscribe('1', CREATE, { input });
  await expect.poll(() => socket.messages.at(-1)?.type).toBe('complete');
  const said = JSON.stringify(socket.messages);
  expect(said).toContain('holds too much');
  socket.socket.close();
});

test('of thousands of errors the first hundred are told, and how many more there are', async () => {
  const items = Array.from({ length: 5000 }, () => ({
    functionCallOutput: { callId: 'x'.repeat(4000), output: { text: '' } },
  }));
  const { errors } = await create(app, { input: { items } });
  expect(errors).toHaveLength(101);
  expect(errors[0].message.length).toBeLessThan(200);
  expect(errors.at(-1).message).toContain('4900');
});

test('the most items that are allowed are taken and read back', async () => {
  const items = Array.from({ length: 10_000 }, (_, at) => ({ message: { content: { text: `${at}` } } }));
  const { id } = await createResponse(app, { input: { items } });
  const query = `query Last($id: ID!) { inputItems(responseId: $id, last: 1, order: ASC) { totalCount nodes { ... on Message { text } } } }`;
  expect((await ask(app, query, { id })).inputItems).toMatchObject({
    totalCount: 10_000,
    nodes: [{ text: '9999' }],
  });
});

describe('a body', () => {
  const body = (text: string) => `{"query":"{ node(id: \\"${text}\\") { id } }"}`;

  test('with a byte order mark is read', async () => {
    expect(await post(`\ufeff${body('a')}`)).toMatchObject({ status: 200, text: '{"data":{"node":null}}' });
  });

  test.each([
    ['bytes that are no UTF-8', Buffer.from(body('secret\xff'), 'latin1')],
    ['half a character', Buffer.from(body('secret😀')).subarray(0, -12)],
    ['broken JSON', `${body('secret')},`],
    ['nothing', ''],
  ])('of %s is refused, and not repeated', async (_, bytes) => {
    const { status, text } = await post(bytes);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toEqual({
      errors: [{ message: 'The body is no JSON in UTF-8.', extensions: { code: 'BAD_REQUEST' } }],
    });
  });

  test.each(['variables', 'extensions'])(
    'in an address whose %s are no JSON is refused likewise',
    async (name) => {
      const answer = await fetch(`${app.url}?query=%7B__typename%7D&${name}=%7Bsecret`);
      expect(answer.status).toBe(400);
      expect(await answer.text()).not.toContain('secret');
    },
  );

  test('with a key twice counts the second, as JSON has it', async () => {
    const { text } = await post('{"query":"{ nope }","query":"{ __typename }"}');
    expect(text).toBe('{"data":{"__typename":"Query"}}');
  });
});

const long = 'x'.repeat(1_000_000);
test.each<[string, object]>([
  ['query($x: ID!) { node(id: $x) { id } }', { x: long }],
  ['query($x: [ID!]!) { nodes(ids: $x) { id } }', { x: [long] }],
  ['query($x: [ID!]!) { nodes(ids: $x) { id } }', { x: new Array(1001).fill('a') }],
  ['query($x: ID!) { response(id: $x) { id } }', { x: long }],
  ['query($x: ID!) { inputItems(responseId: $x) { nodes { id } } }', { x: long }],
  ['query($x: String!) { responses(after: $x) { nodes { id } } }', { x: long }],
  ['query($x: String!) { responses(before: $x) { nodes { id } } }', { x: long }],
  [
    'query($x: ResponseFilter!) { responses(filter: $x) { totalCount nodes { id } } }',
    { x: { model: long } },
  ],
  [
    'query($x: ResponseFilter!) { responses(filter: $x) { nodes { id } } }',
    { x: { previousResponseId: long } },
  ],
  [
    'query($x: ResponseFilter!) { responses(filter: $x) { nodes { id } } }',
    { x: { metadata: { [long]: 'a' } } },
  ],
  [
    'query($x: ResponseFilter!) { responses(filter: $x) { nodes { id } } }',
    { x: { metadata: { a: long, b: 1 } } },
  ],
  ['query($x: ResponseFilter!) { responses(filter: $x) { nodes { id } } }', { x: { createdAfter: long } }],
  ['mutation($x: ID!) { cancelResponse(input: { id: $x }) { errors { message } } }', { x: long }],
  ['mutation($x: ID!) { deleteResponse(input: { id: $x }) { errors { message } } }', { x: long }],
  ['subscription($x: ID!) { responseStream(id: $x) { __typename } }', { x: long }],
  ['subscription($x: String!) { responseStream(id: "resp_0", after: $x) { __typename } }', { x: long }],
])('%s with far too much finds nothing or is refused, and repeats little', async (query, variables) => {
  const { text } = await post(JSON.stringify({ query, variables }));
  expect(text).not.toContain('INTERNAL');
  expect(text.length).toBeLessThan(3000);
});
