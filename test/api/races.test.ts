import { expect, test, vi } from 'vitest';
import { startBehindProxy } from '../support/behind-proxy.ts';
import { expectDeleted, remove } from '../support/branches.ts';
import { cancel } from '../support/cancel.ts';
import { calls, feed, hangsAfter, says } from '../support/chat-server.ts';
import { watchFollowers } from '../support/followers.ts';
import { ask, create, createResponse, readResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { sentTo } from '../support/run.ts';
import { collect } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';
import { answer, call, mcp, mcpAsking } from '../support/tools.ts';

// Each of these holds back a statement of the first server until the second has done what it races with.

test('two creates with one key: the later commit joins the earlier', async () => {
  await using beside = await startTestApp();
  await using first = await startBehindProxy({ beside });
  const request = { input: { text: 'A race for one key' }, idempotencyKey: 'one' };
  const held = first.proxy.holdBack(request.input.text);
  const late = createResponse(first.app, request);
  const release = await held; // it has looked for the key, and found none
  const early = await createResponse(beside, request);
  release();
  expect(await late).toEqual(early);
  expect(beside.upstream.exchanges).toHaveLength(1);
  expect((await ask(beside, '{ responses { totalCount } }')).responses.totalCount).toBe(1);
});

test('two creates with one key and different inputs: the later commit is refused', async () => {
  await using beside = await startTestApp();
  await using first = await startBehindProxy({ beside });
  const held = first.proxy.holdBack('A race for one key');
  const late = create(first.app, { input: { text: 'A race for one key' }, idempotencyKey: 'one' });
  const release = await held;
  await createResponse(beside, { input: { text: 'Another' }, idempotencyKey: 'one' });
  release();
  expect(await late).toMatchObject({ response: null, errors: [{ code: 'IDEMPOTENCY_MISMATCH' }] });
  expect(beside.upstream.exchanges).toHaveLength(1);
});

test.each([
  [true, 1],
  [false, 0],
])(
  'two answers to one approval: the earlier commit counts (it approves: %s), the later is refused',
  async (approve, times) => {
    await using beside = await startTestApp();
    await using first = await startBehindProxy({ beside });
    await using server = await startMcpServer({ tools: { pay: {} } });
    beside.upstream.enqueue(calls([call('pay')]));
    const tools = [mcpAsking('bank', server)];
    const asked = await createResponse(beside, { input: { text: 'Pay' }, tools });
    const request = asked.output.at(-1).id;
    const say = (yes: boolean, reason: string) => ({
      previousResponseId: asked.id,
      tools,
      input: { items: [answer(request, yes, reason)] },
    });
    const held = first.proxy.holdBack('the late answer');
    const late = create(first.app, say(!approve, 'the late answer'));
    const release = await held;
    const early = await createResponse(beside, say(approve, 'the early answer'));
    release();
    expect(await late).toMatchObject({ response: null, errors: [{ code: 'APPROVAL_ALREADY_ANSWERED' }] });
    expect(early.status).toBe('COMPLETED');
    expect(server.calls).toHaveLength(times);
  },
);

test('a response that is deleted before its continuation is committed is not continued', async () => {
  await using beside = await startTestApp();
  await using first = await startBehindProxy({ beside });
  const { id } = await createResponse(beside, { input: { text: 'Root' } });
  const held = first.proxy.holdBack('A leaf too late');
  const late = create(first.app, { input: { text: 'A leaf too late' }, previousResponseId: id });
  const release = await held;
  await expectDeleted(beside, id);
  release();
  expect(await late).toMatchObject({ response: null, errors: [{ code: 'PREVIOUS_RESPONSE_NOT_FOUND' }] });
  expect(beside.upstream.exchanges).toHaveLength(1);
});

test.each(['stream', 'background'])(
  'ancestors deleted in mid-run (%s): the run keeps the history that it began with',
  async (mode) => {
    await using app = await startTestApp({ config: { maxBackgroundRuns: 1 } });
    await using server = await startMcpServer({ tools: { look: { run: () => 'Seen.' } } });
    app.upstream.enqueue(says('One.'), says('Two.'));
    const root = await createResponse(app, { input: { text: 'First' } });
    const middle = await createResponse(app, { input: { text: 'Second' }, previousResponseId: root.id });
    const upstream = feed();
    if (mode === 'background') {
      app.upstream.enqueue(upstream.answer);
      await createResponse(app, { input: { text: 'Busy' }, background: true });
      await upstream.open;
    } else app.upstream.enqueue(calls([call('look')]), upstream.answer);
    const tools = [mcp('eye', server)];
    const request = { input: { text: 'Third' }, previousResponseId: middle.id, tools, [mode]: true };
    const { id } = await createResponse(app, request);
    if (mode === 'stream') await upstream.open; // its second round
    await expectDeleted(app, middle.id);
    await expectDeleted(app, root.id);
    await upstream.say('Done');
    if (mode === 'background') app.upstream.enqueue(calls([call('look')]), says('Done'));
    await upstream.end();
    expect((await collect(app, { id })).at(-1)?.['response']).toMatchObject({
      status: 'COMPLETED',
      outputText: 'Done',
    });
    expect(sentTo(app).messages.map(({ content }) => content)).toEqual([
      'First',
      'One.',
      'Second',
      'Two.',
      'Third',
      null,
      'Seen.',
    ]);
    const query = `query ($id: ID!) { response(id: $id) {
    previousResponse { id } previousResponseId
    inputItems(order: ASC) { nodes { response { id } ... on Message { text } } }
  } }`;
    const { response } = await ask(app, query, { id });
    expect(response).toMatchObject({ previousResponse: null, previousResponseId: middle.id });
    expect(response.inputItems.nodes).toEqual([
      ...['First', 'One.', 'Second', 'Two.'].map((text) => ({ text, response: null })),
      { text: 'Third', response: { id } },
    ]);
  },
);

/** A run whose terminal event is on its way to the log, and no further. */
async function aboutToEnd() {
  const beside = await startTestApp();
  const first = await startBehindProxy({ beside, timing: { pollMs: 20 } });
  const upstream = feed();
  beside.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(first.app, { input: { text: 'Hi' }, stream: true });
  await upstream.say('Whole');
  await vi.waitUntil(async () => (await readResponse(beside, id)).outputText === 'Whole', { interval: 5 });
  const held = first.proxy.holdBack('response.completed');
  await upstream.end();
  return {
    id: id as string,
    beside,
    release: await held,
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]();
      await beside[Symbol.asyncDispose]();
    },
  };
}

/** Resolves when somebody has noted that the response is not wanted. */
async function wished({ database: { sql } }: { readonly database: { readonly sql: Sql } }, id: string) {
  await vi.waitUntil(
    async () =>
      (await sql`select 1 from responses where id = ${id} and cancel_requested_at is not null`).length > 0,
    { interval: 5 },
  );
}
type Sql = Awaited<ReturnType<typeof startTestApp>>['database']['sql'];

test('cancelled while its end is being committed, a response ends as it was about to, and the answer says so', async () => {
  await using race = await aboutToEnd();
  const { id, beside, release } = race;
  const answer = cancel(beside, id);
  await wished(beside, id);
  release();
  const { response, errors } = await answer;
  expect(errors).toMatchObject([{ code: 'ALREADY_ENDED' }]);
  expect(response).toMatchObject({ status: 'COMPLETED', outputText: 'Whole' });
  expect((await collect(beside, { id })).at(-1)?.['response']).toEqual(response);
});

test('deleted while its end is being committed, a response ends as it was about to, and then is gone', async () => {
  await using race = await aboutToEnd();
  const { id, beside, release } = race;
  using followers = watchFollowers();
  const live = collect(beside, { id });
  await vi.waitUntil(() => followers.count > 0, { interval: 5 });
  const answer = remove(beside, id);
  await wished(beside, id);
  release();
  expect(await answer).toEqual({ deletedId: id, errors: [] });
  expect((await live).at(-1)?.['response']).toMatchObject({ status: 'COMPLETED', outputText: 'Whole' });
  expect(await readResponse(beside, id)).toBeNull();
});

test('two deletes of one response in flight: one of them does it, the other finds it gone', async () => {
  await using app = await startTestApp();
  await using beside = await startTestApp({ beside: app });
  app.upstream.enqueue(hangsAfter('Half'));
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  await app.upstream.received(1);
  const answers = await Promise.all([remove(app, id), remove(beside, id)]);
  expect(answers.filter(({ deletedId }) => deletedId === id)).toHaveLength(1);
  expect(answers.filter(({ errors }) => errors[0]?.code === 'RESPONSE_NOT_FOUND')).toHaveLength(1);
  expect(await readResponse(beside, id)).toBeNull();
});
