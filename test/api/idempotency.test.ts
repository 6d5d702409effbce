import { expect, test } from 'vitest';
import { feed, says } from '../support/chat-server.ts';
import { ask, create, createResponse, readResponse, send } from '../support/graphql.ts';
import { collect } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';

const KEYED = { input: { text: 'Hi' }, idempotencyKey: 'order 66' };
const DELETE = 'mutation ($id: ID!) { deleteResponse(input: { id: $id }) { deletedId } }';
const MISMATCH = {
  response: null,
  errors: [{ __typename: 'ConflictError', code: 'IDEMPOTENCY_MISMATCH', path: ['idempotencyKey'] }],
};

test('the same key with the same input gives the same response, and the upstream is asked once', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('Once'));
  const first = await createResponse(app, KEYED);
  expect(await createResponse(app, KEYED)).toEqual(first);
  expect(app.upstream.exchanges).toHaveLength(1);
});

test('ten requests with one key at the same moment, on two instances, are one run', async () => {
  await using app = await startTestApp();
  await using beside = await startTestApp({ beside: app });
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const answers = Array.from({ length: 10 }, (_, each) => createResponse(each % 2 ? app : beside, KEYED));
  await upstream.say('Once ', 'only');
  await upstream.end();
  const [first, ...others] = await Promise.all(answers);
  expect(first).toMatchObject({ status: 'COMPLETED', outputText: 'Once only' });
  for (const other of others) expect(other).toEqual(first);
  expect(app.upstream.exchanges).toHaveLength(1);
  expect(await app.database.sql`select id from responses`).toHaveLength(1);
});

test('more requests with one key than there are connections to the database do not block each other', async () => {
  await using app = await startTestApp();
  const answers = await Promise.all(Array.from({ length: 40 }, () => createResponse(app, KEYED)));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
});

test('a request that joins a run in flight waits for its end', async () => {
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const first = createResponse(app, KEYED);
  await upstream.say('Half ');
  let answered = false;
  const second = createResponse(app, KEYED).finally(() => {
    answered = true;
  });
  await readAnyResponse(app, 'Half ');
  expect(answered).toBe(false);
  await upstream.say('done');
  await upstream.end();
  expect(await second).toEqual(await first);
});

test('with stream: true the second request is answered at once, with where the run stands', async () => {
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const streamed = { ...KEYED, stream: true };
  const first = await createResponse(app, streamed);
  await upstream.say('Half ');
  await readAnyResponse(app, 'Half ');
  const second = await createResponse(app, streamed);
  expect(second).toMatchObject({ id: first.id, status: 'IN_PROGRESS', outputText: 'Half ' });
  const rest = collect(app, { id: first.id, after: second.streamCursor });
  await upstream.say('done');
  await upstream.end();
  expect((await rest).map((event) => event['delta'] ?? '').join('')).toBe('done');
});

test('another input under the same key is a conflict, whatever differs', async () => {
  await using app = await startTestApp();
  await createResponse(app, { ...KEYED, metadata: { a: '1' } });
  for (const other of [
    KEYED,
    { ...KEYED, input: { text: 'Hi!' }, metadata: { a: '1' } },
    { ...KEYED, metadata: { a: '2' } },
    { ...KEYED, metadata: { a: '1' }, temperature: 0.5 },
    { ...KEYED, metadata: { a: '1' }, tools: [{ function: { name: 'look' } }] },
  ]) {
    expect(await create(app, other)).toMatchObject(MISMATCH);
  }
  expect(app.upstream.exchanges).toHaveLength(1);
});

test('a key whose response was deleted is a conflict for ever', async () => {
  await using app = await startTestApp();
  const { id } = await createResponse(app, KEYED);
  await ask(app, DELETE, { id });
  expect(await create(app, KEYED)).toMatchObject(MISMATCH);
  expect(await create(app, { ...KEYED, input: { text: 'Hi!' } })).toMatchObject(MISMATCH);
  expect(await readResponse(app, id)).toBeNull();
});

test('the order of fields, defaults and nulls make no other input', async () => {
  await using app = await startTestApp();
  const parameters = { type: 'object', properties: { a: {}, b: {} } };
  const shuffled = { properties: { b: {}, a: {} }, type: 'object' };
  const one = await createResponse(app, {
    ...KEYED,
    metadata: { a: '1', b: '2' },
    tools: [{ function: { name: 'look', parameters } }],
  });
  const other = await createResponse(app, {
    tools: [{ function: { parameters: shuffled, name: 'look', description: null } }],
    metadata: { b: '2', a: '1' },
    store: true,
    stream: false,
    parallelToolCalls: true,
    temperature: null,
    ...KEYED,
  });
  expect(other).toEqual(one);
});

test('refused requests keep no key', async () => {
  await using app = await startTestApp();
  const missing = `resp_${'0'.repeat(32)}`;
  for (const refused of [
    { ...KEYED, temperature: 9 },
    { ...KEYED, previousResponseId: missing },
    { ...KEYED, input: { items: [{ functionCallOutput: { callId: 'x', output: { text: 'y' } } }] } },
  ]) {
    expect((await create(app, refused)).response).toBeNull();
  }
  expect(await app.database.sql`select * from idempotency_keys`).toEqual([]);
  expect(await createResponse(app, KEYED)).toMatchObject({ status: 'COMPLETED' });
});

test('a failed run is kept under its key: the same request gives the failure again', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(({ answer }) => void answer.writeHead(400).end('{"error":{"message":"No."}}'));
  const first = await createResponse(app, KEYED);
  expect(first).toMatchObject({ status: 'FAILED', error: { message: 'No.' } });
  expect(await createResponse(app, KEYED)).toEqual(first);
});

test('keys that no column can hold are refused, and unusual ones work', async () => {
  await using app = await startTestApp();
  for (const idempotencyKey of ['a\0b', '\ud800']) {
    expect(await create(app, { ...KEYED, idempotencyKey })).toMatchObject({
      errors: [{ code: 'INVALID_INPUT', path: ['idempotencyKey'] }],
    });
  }
  const odd = { ...KEYED, idempotencyKey: `'; drop table responses; -- 🔑` };
  expect(await createResponse(app, odd)).toEqual(await createResponse(app, odd));
});

/** Resolves once the only response has said this. */
async function readAnyResponse(app: { readonly url: string }, outputText: string): Promise<void> {
  await expect
    .poll(
      async () => (await send(app, '{ responses(first: 1) { nodes { outputText } } }')).data.responses.nodes,
      { timeout: 5000, interval: 10 },
    )
    .toEqual([{ outputText }]);
}
