import { expect, test } from 'vitest';
import { calls, diesAfter, feed, hangsAfter, says } from '../support/chat-server.ts';
import { CREATE, create, createResponse, readResponse, send } from '../support/graphql.ts';
import { collect } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

/** All rows of all tables but that of the leases. */
async function everything({ database: { sql } }: TestApp): Promise<string> {
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables where table_schema = 'public'`;
  expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['responses', 'items', 'events']));
  const kept = tables.filter(({ name }) => name !== 'processes');
  const rows = await Promise.all(kept.map(({ name }) => sql`select * from ${sql(name)}`));
  return JSON.stringify(rows.flatMap((each) => [...each]));
}

test('store: false answers like any other request, and no table has a row of it', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('Between ', 'us'));
  const response = await createResponse(app, { input: { text: 'Hi' }, store: false, metadata: { a: 'b' } });
  expect(response).toMatchObject({
    status: 'COMPLETED',
    outputText: 'Between us',
    output: [{ __typename: 'Message', status: 'COMPLETED', text: 'Between us' }],
    usage: { totalTokens: 15 },
  });
  expect(await everything(app)).toBe('[]');
});

test('afterwards nothing can be read of it but its stream, for a minute', async () => {
  await using app = await startTestApp();
  const { id, output } = await createResponse(app, { input: { text: 'Hi' }, store: false });
  expect(await readResponse(app, id)).toBeNull();
  const query = `query ($ids: [ID!]!, $item: ID!) { nodes(ids: $ids) { id } node(id: $item) { id } responses { nodes { id } } }`;
  const { data } = await send(app, query, { ids: [id, output[0].id], item: output[0].id });
  expect(data).toEqual({ nodes: [null, null], node: null, responses: { nodes: [] } });
  expect((await collect(app, { id })).at(-1)).toMatchObject({ response: { id, output } });
  const { errors } = await create(app, { input: { text: 'And?' }, previousResponseId: id });
  expect(errors).toMatchObject([{ code: 'PREVIOUS_RESPONSE_NOT_FOUND', path: ['previousResponseId'] }]);
});

test('nothing of it is in a table while it runs either', async () => {
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const whole = createResponse(app, { input: { text: 'Hi' }, store: false });
  await upstream.say('Psst');
  expect(await everything(app)).toBe('[]');
  await upstream.end();
  expect(await whole).toMatchObject({ outputText: 'Psst' });
});

test('it fails, is incomplete and leaves calls pending as a stored one does', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(diesAfter('Ha'), calls([{ name: 'look', arguments: '{}' }]));
  const input = { input: { text: 'Hi' }, store: false };
  expect(await createResponse(app, input)).toMatchObject({
    status: 'FAILED',
    error: { code: 'server_error' },
    output: [{ status: 'INCOMPLETE', text: 'Ha' }],
  });
  const { data } = await send(
    app,
    `mutation ($input: CreateResponseInput!) { createResponse(input: $input) { response {
      status store streamCursor output { id response { id } } pendingItems { id } inputItems { nodes { id } } previousResponse { id }
    } } }`,
    { input: { ...input, tools: [{ function: { name: 'look' } }] } },
  );
  const { response } = data.createResponse;
  expect(response).toMatchObject({ status: 'COMPLETED', store: false, previousResponse: null });
  expect(response.pendingItems).toEqual(response.output.map(({ id }: { readonly id: string }) => ({ id })));
  expect(response.output).toMatchObject([{ response: null }]);
  expect(await everything(app)).toBe('[]');
});

test('it may continue a stored response, which learns nothing of it', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('Blue'), says('Because'));
  const first = await createResponse(app, { input: { text: 'Which?' } });
  const before = await everything(app);
  const second = await createResponse(app, {
    input: { text: 'Why?' },
    previousResponseId: first.id,
    store: false,
  });
  expect(second).toMatchObject({ previousResponseId: first.id, outputText: 'Because' });
  expect(app.upstream.exchanges[1]?.body.messages).toEqual([
    { role: 'user', content: 'Which?' },
    { role: 'assistant', content: 'Blue' },
    { role: 'user', content: 'Why?' },
  ]);
  expect(await everything(app)).toBe(before);
});

test('with background or idempotencyKey it is refused, both named at once', async () => {
  await using app = await startTestApp();
  const refused = { input: { text: 'Hi' }, store: false, background: true, idempotencyKey: 'k' };
  const { response, errors } = await create(app, refused);
  expect(response).toBeNull();
  expect(errors).toMatchObject([
    { __typename: 'InvalidInputError', code: 'INVALID_INPUT', path: ['background'] },
    { __typename: 'InvalidInputError', code: 'INVALID_INPUT', path: ['idempotencyKey'] },
  ]);
  expect(app.upstream.exchanges).toHaveLength(0);
  expect(await everything(app)).toBe('[]');
});

test('a caller that leaves cancels it', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(hangsAfter('x'));
  const caller = new AbortController();
  const input = { input: { text: 'Hi' }, store: false };
  const answer = send(app, CREATE, { input }, caller.signal).catch(() => 'gone');
  const { closed } = await app.upstream.received(1);
  caller.abort();
  await closed;
  expect(await answer).toBe('gone');
});
