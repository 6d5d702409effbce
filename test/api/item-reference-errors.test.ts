import { afterAll, beforeAll, expect, test } from 'vitest';
import { branchOf, expectDeleted } from '../support/branches.ts';
import { calls, chunk, feed, says, streams } from '../support/chat-server.ts';
import { ask, create, createResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { inputOf, reference, refusedFor } from '../support/references.ts';
import { outputFor, pendingItems, run } from '../support/run.ts';
import { type SearchingApp, startSearchingApp } from '../support/searching-app.ts';
import { follow } from '../support/stream.ts';
import { answer, call, mcp, mcpAsking, typesOf } from '../support/tools.ts';

let app: SearchingApp;

beforeAll(async () => {
  app = await startSearchingApp();
});

afterAll(() => app[Symbol.asyncDispose]());

const tools = [{ function: { name: 'weather' } }];
const goOn = { message: { content: { text: 'Go on.' } } };
const ANY = expect.any(String);

/** The error for an item that is not there. */
const missing = (id: string, index = 0) => [
  'ITEM_NOT_FOUND',
  `input.items.${index}.itemReference`,
  `There is no item "${id.slice(0, 100)}".`,
];
const invalid = (path: string, message: unknown = ANY) => ['INVALID_INPUT', path, message];

test.each([
  `msg_${'0'.repeat(32)}`,
  `mcpr_${'0'.repeat(32)}`,
  `resp_${'0'.repeat(32)}`,
  `MSG_${'0'.repeat(32)}`,
  'msg_1',
  'nonsense',
  '',
  ' ',
  'x\0y',
  '\ud800',
  'x'.repeat(1000),
])('%j is no item', async (id) => {
  expect(await refusedFor(app, [reference({ id })])).toEqual([missing(id)]);
});

test('the error is a NotFoundError that names the field', async () => {
  const id = `msg_${'0'.repeat(32)}`;
  expect(await create(app, { input: { items: [goOn, reference({ id })] } })).toEqual({
    response: null,
    errors: [
      {
        __typename: 'NotFoundError',
        code: 'ITEM_NOT_FOUND',
        message: `There is no item "${id}".`,
        path: ['input', 'items', '1', 'itemReference'],
      },
    ],
  });
});

test('an item of a deleted response is gone, whether a continuation needs it or not', async () => {
  const [root = '', leaf = ''] = await branchOf(app, 2);
  const items = [...(await inputOf(app, root)), ...(await inputOf(app, leaf))];
  await expectDeleted(app, root);
  expect(await refusedFor(app, items.slice(0, 1).map(reference))).toEqual([missing(items[0].id)]);
  await expectDeleted(app, leaf);
  expect(await refusedFor(app, items.map(reference))).toEqual(items.map(({ id }, at) => missing(id, at)));
});

test('an item of another tenant is not there', async () => {
  const { id, output } = await run(app, { input: { text: 'Hi' } });
  const { sql } = app.database;
  await sql`update items set tenant = 'other' where response_id = ${id}`;
  await sql`update responses set tenant = 'other' where id = ${id}`;
  expect(await refusedFor(app, [reference(output[0])])).toEqual([missing(output[0].id)]);
});

test('what a response in flight or one that is not stored gives is not there', async () => {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  await upstream.say('So');
  for await (const { __typename, itemId } of follow(app, { id })) {
    if (__typename !== 'OutputTextDeltaEvent') continue;
    expect(await refusedFor(app, [reference({ id: itemId })])).toEqual([missing(itemId)]);
    break;
  }
  await upstream.end();
  const { output } = await createResponse(app, { input: { text: 'Hi' }, store: false });
  expect(await refusedFor(app, [reference(output[0])])).toEqual([missing(output[0].id)]);
});

test('approval requests and their answers stay in their branch', async () => {
  await using server = await startMcpServer({ tools: { echo: {} } });
  const asking = { tools: [mcpAsking('server', server)] };
  app.upstream.enqueue(calls([call('echo')]));
  const first = await run(app, { input: { text: 'Hi' }, ...asking });
  const [request] = await pendingItems(app, first.id);
  const input = { items: [answer(request.id, false)] };
  const second = await run(app, { input, ...asking, previousResponseId: first.id });
  const [answered] = await inputOf(app, second.id);
  const message = expect.stringContaining('previousResponseId');
  expect(await refusedFor(app, [request, answered].map(reference))).toEqual([
    invalid('input.items.0.itemReference', message),
    invalid('input.items.1.itemReference', message),
  ]);
});

test('calls that were never finished cannot be copied', async () => {
  await using server = await startMcpServer({ tools: { echo: {}, ask: {} } });
  const filter = { always: { toolNames: ['ask'] }, never: { toolNames: ['echo'] } };
  const offered = [mcp('server', server, { requireApproval: { filter } }), { webSearch: {} }, ...tools];
  const names = ['weather', 'echo', 'ask', 'web_search'];
  const begun = names.map((name, index) => ({
    index,
    id: `half ${name}`,
    function: { name, arguments: '{' },
  }));
  app.upstream.enqueue(streams(...begun.map((each) => chunk({ tool_calls: [each] })), chunk({}, 'length')));
  const { output } = await run(app, { input: { text: 'Hi' }, tools: offered });
  const cut = output.slice(1);
  expect(typesOf(cut)).toEqual(['FunctionCall', 'McpCall', 'McpApprovalRequest', 'WebSearchCall']);
  expect(await refusedFor(app, cut.map(reference))).toEqual(
    cut.map((_: object, at: number) =>
      invalid(`input.items.${at}.itemReference`, expect.stringContaining('never finished')),
    ),
  );
});

test('a copied call needs an output, and only one; a copied output needs its call', async () => {
  app.upstream.enqueue(calls([call('weather', {}, 'one')]));
  const first = await run(app, { input: { text: 'Hi' }, tools });
  const input = { items: [outputFor('one', 'sunny')] };
  const second = await run(app, { input, previousResponseId: first.id });
  const [made] = first.output.map(reference);
  const [output] = (await inputOf(app, second.id)).map(reference);
  const at = (index: number) => `input.items.${index}.itemReference`;

  const open = invalid('input.items', expect.stringContaining('"one" (weather) needs an output'));
  expect(await refusedFor(app, [made, goOn])).toEqual([open]);
  const nothing = invalid(at(1), 'There is no function call "one" to answer.');
  expect(await refusedFor(app, [goOn, output])).toEqual([nothing]);
  const twice = invalid(at(2), 'The function call "one" has been answered already.');
  expect(await refusedFor(app, [made, output, output])).toEqual([twice]);
  const another = invalid(at(1), 'There is another call "one".');
  expect(await refusedFor(app, [made, made, output])).toEqual([another]);
  const here = { previousResponseId: second.id };
  expect(await refusedFor(app, [goOn, made, goOn], here)).toEqual([another]);
});

test('all errors come at once, each under the place where the caller wrote it', async () => {
  const { output } = await run(app, { input: { text: 'Hi' } });
  const gone = `msg_${'0'.repeat(32)}`;
  const request = `mcpr_${'0'.repeat(32)}`;
  const items = [
    reference({ id: 'nonsense' }),
    reference(output[0]),
    reference({ id: gone }),
    outputFor('nobody', 'x'),
    answer(request, true),
    goOn,
    reference({ id: gone }),
  ];
  const more = { temperature: 9, previousResponseId: null };
  expect(await refusedFor(app, items, more)).toEqual([
    invalid('temperature'),
    missing('nonsense', 0),
    missing(gone, 2),
    missing(gone, 6),
    invalid('input.items.3.functionCallOutput.callId'),
    ['APPROVAL_NOT_FOUND', 'input.items.4.mcpApprovalResponse.approvalRequestId', ANY],
  ]);
  const unknown = { previousResponseId: 'none' };
  expect(await refusedFor(app, [reference({ id: gone })], unknown)).toEqual([
    missing(gone),
    ['PREVIOUS_RESPONSE_NOT_FOUND', 'previousResponseId', ANY],
  ]);
});

test('an idempotency key takes the same references for the same request', async () => {
  app.upstream.enqueue(says('A1'));
  const { output } = await run(app, { input: { text: 'Hi' } });
  const request = { input: { items: [reference(output[0]), goOn] }, idempotencyKey: 'copies' };
  const { id } = await run(app, request);
  expect(await createResponse(app, request)).toMatchObject({ id });
  const other = { ...request, input: { items: [goOn] } };
  expect((await create(app, other)).errors).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH' }]);
});

test('a short request cannot make much of a long item by naming it again and again', async () => {
  const { id } = await createResponse(app, { input: { text: 'x'.repeat(1_000_000) } });
  const query = 'query ($id: ID!) { inputItems(responseId: $id) { nodes { id } } }';
  const [item] = (await ask(app, query, { id })).inputItems.nodes;
  const naming = (times: number) => ({
    input: { items: Array.from({ length: times }, () => ({ itemReference: item.id })) },
  });
  expect(await create(app, naming(25))).toMatchObject({
    response: null,
    errors: [{ code: 'INVALID_INPUT', path: ['input', 'items'] }],
  });
  expect((await create(app, naming(3))).errors).toEqual([]);
});
