import { expect, test } from 'vitest';
import { readResponses, wholeStates } from '../../src/engine/read-responses.ts';
import type { EventDraft, ResponseEvent } from '../../src/protocol/events.ts';
import { newItemId, type ResponseId } from '../../src/protocol/ids.ts';
import { INITIAL_STATE } from '../../src/protocol/response.ts';
import { openLogs } from '../support/log-rows.ts';

const scope = { tenant: 'default' };
const itemId = newItemId('msg');
const place = { itemId, outputIndex: 0 };
const item = { id: itemId, status: 'in_progress', round: 0, type: 'message', role: 'assistant' } as const;
const part = { type: 'output_text', text: '', annotations: [], logprobs: null } as const;

const LOG = numbered([
  { type: 'response.created', state: { ...INITIAL_STATE, status: 'queued' } },
  { type: 'response.queued', state: { ...INITIAL_STATE, status: 'queued' } },
  { type: 'response.in_progress', state: INITIAL_STATE },
  { type: 'response.output_item.added', ...place, item: { ...item, content: [] } },
  { type: 'response.content_part.added', ...place, contentIndex: 0, part },
  { type: 'response.output_text.delta', ...place, contentIndex: 0, delta: 'one', logprobs: null },
  { type: 'response.output_text.delta', ...place, contentIndex: 0, delta: ' two', logprobs: null },
]);

function numbered(drafts: readonly EventDraft[]): readonly ResponseEvent[] {
  return drafts.map((draft, sequenceNumber) => ({ ...draft, sequenceNumber }));
}

type Logs = Awaited<ReturnType<typeof openLogs>>;

async function viewOf({ database }: Logs, id: ResponseId) {
  const view = (await readResponses(database, scope, [id])).get(id);
  if (view === undefined) throw new Error('There is no such response.');
  return view;
}

test('what is read of a view later is as of its place, however much has come since', async () => {
  await using logs = await openLogs();
  const id = await logs.add({ log: LOG.slice(0, 6) });
  const before = await viewOf(logs, id);
  const last = LOG.slice(6);
  await logs.sql`
    insert into events (tenant, response_id, first, last, body) values ('default', ${id}, 6, 6, ${JSON.stringify(last)})`;
  const after = await viewOf(logs, id);
  const states = await wholeStates(logs.database, scope, [before, after, before]);
  expect([before.sequenceNumber, after.sequenceNumber]).toEqual([5, 6]);
  expect(states.map(({ output }) => output)).toEqual(
    ['one', 'one two', 'one'].map((text) => [{ ...item, content: [{ ...part, text }] }]),
  );
});

test('of a response that has ended since, and whose log is gone, the output is what was kept', async () => {
  await using logs = await openLogs();
  const id = await logs.add({ log: LOG });
  const view = await viewOf(logs, id);
  const body = JSON.stringify({ ...item, content: [{ ...part, text: 'one two three' }] });
  await logs.sql`delete from events where response_id = ${id}`;
  await logs.sql`
    insert into items (id, tenant, response_id, direction, position, type, body)
    values (${itemId}, 'default', ${id}, 'output', 1, 'message', ${body})`;
  const [state] = await wholeStates(logs.database, scope, [view]);
  expect(state?.output).toEqual([JSON.parse(body)]);
});

test('a response waits until its log says that its run has begun', async () => {
  await using logs = await openLogs();
  const statusAfter = async (count: number, background: boolean) => {
    const id = await logs.add({ log: LOG.slice(0, count), background });
    await logs.sql`update responses set settings = ${JSON.stringify({ background })} where id = ${id}`;
    return (await viewOf(logs, id)).state.status;
  };
  expect(await statusAfter(2, true)).toBe('queued');
  expect(await statusAfter(3, true)).toBe('in_progress');
  expect(await statusAfter(2, false)).toBe('in_progress');
});

test('what is unknown, deleted or of another tenant has no view', async () => {
  await using logs = await openLogs();
  const [there, deleted] = [
    await logs.add({ log: LOG }),
    await logs.add({ log: LOG, endedAgo: 1, isDeleted: true }),
  ];
  expect([...(await readResponses(logs.database, scope, [there, deleted])).keys()]).toEqual([there]);
  expect(await readResponses(logs.database, { tenant: 'other' }, [there])).toEqual(new Map());
});
