import { expect, test, vi } from 'vitest';
import { type Answer, calls, chunk, diesAfter, says, streams } from '../support/chat-server.ts';
import { ask, createResponse, readResponse } from '../support/graphql.ts';
import { collect, type StreamEvent, TRANSPORTS } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';
import { trimAll } from '../support/trim.ts';

const DELETE = 'mutation ($id: ID!) { deleteResponse(input: { id: $id }) { deletedId } }';

async function logRows({ database: { sql } }: TestApp): Promise<number> {
  const [row] = await sql`select count(*)::int as count from events`;
  return row?.['count'];
}

const ENDINGS: readonly [status: string, answer: Answer, input: object][] = [
  ['COMPLETED', says('One ', 'two ', 'three'), {}],
  ['FAILED', diesAfter('One ', 'two'), {}],
  ['INCOMPLETE', streams(chunk({ content: 'One' }), chunk({}, 'length')), {}],
  [
    'COMPLETED',
    calls([{ name: 'look', arguments: '{}' }], 'Hm'),
    { tools: [{ function: { name: 'look' } }] },
  ],
];

test.each(TRANSPORTS.flatMap((transport) => ENDINGS.map((ending) => [transport, ...ending] as const)))(
  'a trimmed stream on %s is a snapshot and the end, %s',
  async (transport, status, answer, input) => {
    await using app = await startTestApp();
    app.upstream.enqueue(answer);
    const response = await createResponse(app, { input: { text: 'Hi' }, ...input });
    const whole = await collect(app, { id: response.id }, transport);
    expect(await trimAll(app)).toBe(1);
    expect(await logRows(app)).toBe(0);
    const [snapshot, end, ...more] = await collect(app, { id: response.id }, transport);
    expect(more).toEqual([]);
    expect(end).toEqual(whole.at(-1));
    expect(snapshot).toEqual({
      __typename: 'ResponseSnapshotEvent',
      sequenceNumber: whole.length - 2,
      cursor: whole.at(-2)?.cursor,
      response: {
        ...response,
        status: 'IN_PROGRESS',
        completedAt: null,
        error: null,
        incompleteDetails: null,
        streamCursor: whole.at(-2)?.cursor,
      },
    });
    expect(await readResponse(app, response.id)).toEqual(response);
    expect(response.status).toBe(status);
  },
);

test.each(TRANSPORTS)('on %s every cursor into a trimmed stream still holds', async (transport) => {
  await using app = await startTestApp();
  await using beside = await startTestApp({ beside: app });
  app.upstream.enqueue(says('One ', 'two ', 'three'));
  const { id } = await createResponse(app, { input: { text: 'Hi' } });
  const events = await collect(app, { id }, transport);
  await trimAll(app);
  const trimmed = await collect(app, { id }, transport);
  for (const [index, { cursor }] of events.entries()) {
    const left = index < events.length - 2 ? 2 : events.length - 1 - index;
    const rest = await collect(index % 2 === 0 ? app : beside, { id, after: cursor }, transport);
    expect(rest, `after ${index}`).toEqual(trimmed.slice(2 - left));
  }
  const beyond = `${events.at(-1)?.cursor}0`;
  const refused = await collect(app, { id, after: beyond }, transport).catch((error: unknown) => error);
  expect(JSON.stringify((refused as { errors?: unknown }).errors ?? refused)).toContain('INVALID_INPUT');
});

test('types and coalesceMs take nothing from a trimmed stream', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('One ', 'two'));
  const { id } = await createResponse(app, { input: { text: 'Hi' } });
  await trimAll(app);
  const trimmed = await collect(app, { id });
  expect(await collect(app, { id, types: [], coalesceMs: 1000 })).toEqual(trimmed);
});

test('an instance trims what is old enough, and nothing that is not', async () => {
  const lease = { leaseMs: 10_000, renewMs: 3000, sweepMs: 50 };
  await using app = await startTestApp({ config: { retentionMinutes: 5 }, timing: { lease } });
  const { sql } = app.database;
  app.upstream.enqueue(says('Old'), says('Young'));
  const old = await createResponse(app, { input: { text: 'Hi' } });
  const young = await createResponse(app, { input: { text: 'Hi' } });
  const log: readonly StreamEvent[] = await collect(app, { id: young.id });
  await sql`update responses set completed_at = now() - interval '5 minutes' where id = ${old.id}`;
  const rowsOf = (id: string) => sql`select 1 from events where response_id = ${id}`;
  await expect.poll(() => rowsOf(old.id), { interval: 5 }).toHaveLength(0);
  expect((await collect(app, { id: old.id })).map(({ __typename }) => __typename)).toEqual([
    'ResponseSnapshotEvent',
    'ResponseCompletedEvent',
  ]);
  expect(await collect(app, { id: young.id })).toEqual(log);
  app.upstream.enqueue(says('Still known'));
  await createResponse(app, { input: { text: 'And?' }, previousResponseId: old.id });
  expect(app.upstream.exchanges.at(-1)?.body.messages).toEqual([
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Old' },
    { role: 'user', content: 'And?' },
  ]);
});

test('a retention of no time at all leaves live followers everything', async () => {
  const lease = { leaseMs: 10_000, renewMs: 3000, sweepMs: 20 };
  await using app = await startTestApp({ config: { retentionMinutes: 0 }, timing: { lease } });
  app.upstream.enqueue(says('One ', 'two'));
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  const events = await collect(app, { id });
  expect(events.at(-1)?.['response']).toMatchObject({ status: 'COMPLETED', outputText: 'One two' });
  await vi.waitUntil(async () => (await logRows(app)) === 0, { interval: 5 });
  expect(await collect(app, { id })).toHaveLength(2);
});

test('a trimmed response that is deleted is unknown', async () => {
  await using app = await startTestApp();
  const { id, streamCursor } = await createResponse(app, { input: { text: 'Hi' } });
  await trimAll(app);
  await ask(app, DELETE, { id });
  for (const after of [undefined, streamCursor]) {
    const refused = await collect(app, { id, after }).catch((error: unknown) => error);
    expect(JSON.stringify(refused)).toContain('NOT_FOUND');
  }
});
