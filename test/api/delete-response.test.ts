import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { branchOf, expectDeleted, remove, rowsOf } from '../support/branches.ts';
import { calls, hangsAfter } from '../support/chat-server.ts';
import { checkEventRules } from '../support/event-rules.ts';
import { watchFollowers } from '../support/followers.ts';
import { ask, create, createResponse, readResponse } from '../support/graphql.ts';
import { collect, follow, TRANSPORTS } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app[Symbol.asyncDispose]());

test('a deleted response is gone for every read', async () => {
  const [id = ''] = await branchOf(app, 1);
  const before = await ask(app, 'query Item($id: ID!) { response(id: $id) { output { id } } }', { id });
  await expectDeleted(app, id);
  expect(await readResponse(app, id)).toBeNull();
  const ids = [id, before.response.output[0].id];
  const query = `query Reads($id: ID!, $ids: [ID!]!) {
    node(id: $id) { id }
    nodes(ids: $ids) { id }
    inputItems(responseId: $id) { totalCount }
    responses(first: 100) { nodes { id } }
  }`;
  const { responses, ...reads } = await ask(app, query, { id, ids });
  expect(reads).toEqual({ node: null, nodes: [null, null], inputItems: null });
  expect(responses.nodes).not.toContainEqual({ id });
  expect(await rowsOf(app, [id])).toEqual({ responses: [], items: [], events: [] });
});

test('a deleted response cannot be continued', async () => {
  const [root = '', leaf = ''] = await branchOf(app, 2);
  for (const id of [root, leaf]) {
    await expectDeleted(app, id);
    expect(await create(app, { input: { text: 'And?' }, previousResponseId: id })).toMatchObject({
      response: null,
      errors: [
        { __typename: 'NotFoundError', code: 'PREVIOUS_RESPONSE_NOT_FOUND', path: ['previousResponseId'] },
      ],
    });
  }
});

test.each(TRANSPORTS)('the stream of a deleted response is NOT_FOUND over %s', async (transport) => {
  const [root = '', leaf = ''] = await branchOf(app, 2);
  for (const id of [root, leaf]) {
    await expectDeleted(app, id);
    await expect(collect(app, { id }, transport)).rejects.toMatchObject({
      errors: [{ extensions: { code: 'NOT_FOUND' } }],
    });
  }
});

test.each(['its own instance', 'another instance'])(
  'a response in flight is cancelled first, by %s: whoever waits and follows is told, then it is gone',
  async (where) => {
    await using beside = await startTestApp({ beside: app });
    using watched = watchFollowers();
    app.upstream.enqueue(hangsAfter('Half ', 'a word'));
    const coming = app.upstream.received(app.upstream.exchanges.length + 1);
    const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
    const { closed } = await coming;
    await vi.waitUntil(async () => (await readResponse(app, id)).outputText === 'Half a word', {
      interval: 5,
    });
    const followers = [follow(app, { id }), follow(beside, { id })].map(async (stream) => {
      const events = await Array.fromAsync(stream);
      checkEventRules(events);
      return events.at(-1);
    });
    await vi.waitUntil(() => watched.count === 2, { interval: 5 });
    expect(await remove(where === 'another instance' ? beside : app, id)).toEqual({
      deletedId: id,
      errors: [],
    });
    await closed;
    for (const last of await Promise.all(followers)) {
      expect(last).toMatchObject({
        __typename: 'ResponseCancelledEvent',
        response: { status: 'CANCELLED', outputText: 'Half a word' },
      });
    }
    expect(await readResponse(beside, id)).toBeNull();
    await expect(collect(app, { id })).rejects.toMatchObject({
      errors: [{ extensions: { code: 'NOT_FOUND' } }],
    });
  },
);

test('callers that wait for it, on whichever instance, are given it as CANCELLED', async () => {
  await using beside = await startTestApp({ beside: app });
  using watched = watchFollowers();
  app.upstream.enqueue(hangsAfter('Half a word'));
  const input = { input: { text: 'Hi' }, idempotencyKey: 'to be deleted' };
  const coming = app.upstream.received(app.upstream.exchanges.length + 1);
  const waiting = [createResponse(app, input)];
  await coming;
  waiting.push(createResponse(app, input), createResponse(beside, input));
  await vi.waitUntil(() => watched.count === 3, { interval: 5 });
  const query = '{ responses(first: 1) { nodes { id outputText } } }';
  const [{ id }] = await vi.waitUntil(
    async () => {
      const { nodes } = (await ask(app, query)).responses;
      return nodes[0].outputText === 'Half a word' && nodes;
    },
    { interval: 5 },
  );
  expect(await remove(beside, id)).toEqual({ deletedId: id, errors: [] });
  for (const answer of await Promise.all(waiting))
    expect(answer).toMatchObject({ id, status: 'CANCELLED', outputText: 'Half a word' });
});

test('deleted while it waits in the queue, it never runs', async () => {
  await using busy = await startTestApp({ config: { maxBackgroundRuns: 1 } });
  busy.upstream.enqueue(hangsAfter('Busy'));
  await createResponse(busy, { input: { text: 'Hi' }, background: true });
  await busy.upstream.received(1);
  const { id } = await createResponse(busy, { input: { text: 'Hi' }, background: true });
  expect(await remove(busy, id)).toEqual({ deletedId: id, errors: [] });
  expect(await readResponse(busy, id)).toBeNull();
  expect(busy.upstream.exchanges).toHaveLength(1);
});

test.each([`resp_${'0'.repeat(32)}`, 'nonsense', '', `msg_${'0'.repeat(32)}`])(
  'to delete %j is a NotFoundError',
  async (id) => {
    expect(await remove(app, id)).toEqual({
      deletedId: null,
      errors: [
        {
          __typename: 'NotFoundError',
          code: 'RESPONSE_NOT_FOUND',
          message: expect.any(String),
          path: ['id'],
        },
      ],
    });
  },
);

test('what is deleted cannot be deleted again, whether its rows are needed or not', async () => {
  const [root = '', leaf = ''] = await branchOf(app, 2);
  for (const id of [root, leaf]) {
    await expectDeleted(app, id);
    expect((await remove(app, id)).errors).toMatchObject([{ code: 'RESPONSE_NOT_FOUND' }]);
  }
});

test('continuations keep working, keep their history and still name what they continue', async () => {
  const [root = '', middle = '', leaf = ''] = await branchOf(app, 3);
  await expectDeleted(app, middle);
  const next = await createResponse(app, { input: { text: 'U4' }, previousResponseId: leaf });
  expect(app.upstream.exchanges.at(-1)?.body.messages.map(({ content }) => content)).toEqual([
    'U1',
    'ok',
    'U2',
    'ok',
    'U3',
    'ok',
    'U4',
  ]);
  const query = `query Left($id: ID!) {
    response(id: $id) {
      previousResponseId
      previousResponse { id }
      inputItems(order: ASC) { totalCount nodes { id response { id } ... on Message { text } } }
    }
  }`;
  const { response } = await ask(app, query, { id: next.id });
  expect(response.inputItems.totalCount).toBe(7);
  expect(response.inputItems.nodes.map((node: { text: string }) => node.text)).toEqual([
    'U1',
    'ok',
    'U2',
    'ok',
    'U3',
    'ok',
    'U4',
  ]);
  expect(
    response.inputItems.nodes.map((node: { response: { id: string } | null }) => node.response?.id ?? null),
  ).toEqual([root, root, null, null, leaf, leaf, next.id]);
  expect((await ask(app, query, { id: leaf })).response).toMatchObject({
    previousResponseId: middle,
    previousResponse: null,
  });
  const kept = response.inputItems.nodes[2].id;
  expect(
    (
      await ask(app, 'query Kept($id: ID!) { node(id: $id) { ... on Message { text response { id } } } }', {
        id: kept,
      })
    ).node,
  ).toEqual({ text: 'U2', response: null });
  const children =
    'query Children($id: ID!) { responses(filter: { previousResponseId: $id }) { nodes { id } } }';
  expect((await ask(app, children, { id: middle })).responses.nodes).toEqual([{ id: leaf }]);
});

test('a call waits again for its output once the continuation that gave one is deleted', async () => {
  app.upstream.enqueue(calls([{ name: 'weather', arguments: '{}', id: 'first' }]));
  const { id } = await createResponse(app, {
    input: { text: 'Hi' },
    tools: [{ function: { name: 'weather' } }],
  });
  const pending = async () =>
    (
      await ask(
        app,
        'query Pending($id: ID!) { response(id: $id) { pendingItems { ... on FunctionCall { callId } } } }',
        { id },
      )
    ).response.pendingItems;
  const answer = { items: [{ functionCallOutput: { callId: 'first', output: { text: 'Sun' } } }] };
  const next = await createResponse(app, { input: answer, previousResponseId: id });
  expect(await pending()).toEqual([]);
  // Whether its rows are needed or not.
  await createResponse(app, { input: { text: 'Thanks' }, previousResponseId: next.id });
  await expectDeleted(app, next.id);
  expect(await pending()).toEqual([{ callId: 'first' }]);
});
