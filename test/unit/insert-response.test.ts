import postgres from 'postgres';
import { expect, test, vi } from 'vitest';
import { type ItemId, newItemId, newResponseId } from '../../src/protocol/ids.ts';
import { openInsertions } from '../support/insertions.ts';

type Room = Awaited<ReturnType<typeof openInsertions>>;

/** Inserts these and, before them, so many others that they go in company. */
async function inCompany(
  room: Room,
  wanted: readonly Parameters<Room['insert']>[0][],
  through = room.database,
) {
  const others = [room.insert({}, through), room.insert({}, through)];
  const outcomes = await Promise.all(wanted.map((each) => room.insert(each, through)));
  expect(await Promise.all(others)).toEqual(['inserted', 'inserted']);
  return outcomes;
}

async function approvalRequest({ sql, insert }: Room): Promise<ItemId> {
  const [responseId, id] = [newResponseId(), newItemId('mcpr')];
  await insert({ id: responseId });
  await sql`
    insert into items (id, tenant, response_id, direction, position, type, body)
    values (${id}, 'default', ${responseId}, 'output', 2, 'mcp_approval_request', '{}')`;
  return id;
}

test('responses that come at one moment share statements, and each has its own rows', async () => {
  await using room = await openInsertions();
  let statements = 0;
  const through = room.wrapped((count, run) => {
    statements = count;
    return run();
  });
  const ids = Array.from({ length: 40 }, () => newResponseId());
  const outcomes = await Promise.all(
    ids.map((id, place) => room.insert({ id, metadata: { place: String(place) } }, through)),
  );
  expect(new Set(outcomes)).toEqual(new Set(['inserted']));
  expect(statements).toBeLessThanOrEqual(4);
  const rows = await room.sql`
    select r.id, r.metadata->>'place' as place, r.process_id as owner,
      (select string_agg(i.position || i.body, ',' order by position) from items i where i.response_id = r.id) as items,
      (select e.first || '-' || e.last from events e where e.response_id = r.id) as log
    from responses r order by (r.metadata->>'place')::int`;
  expect(rows.map(({ id }) => id)).toEqual(ids);
  for (const [place, row] of rows.entries()) {
    expect(row).toMatchObject({ place: String(place), owner: 'here', log: '0-1' });
    expect(row['items']).toMatch(new RegExp(`^0.*To ${ids[place]}.*,1.*And this`));
  }
});

test('of those with one key one is inserted, also when they come at one moment', async () => {
  await using room = await openInsertions();
  const outcomes = await inCompany(room, [
    { key: 'a' },
    { key: 'b' },
    { key: 'a' },
    {},
    { key: 'b' },
    { key: 'a' },
  ]);
  const [a1, b1, a2, other, b2, a3] = outcomes;
  expect([a1, a2, a3].toSorted()).toEqual(['inserted', 'key_taken', 'key_taken']);
  expect([b1, b2].toSorted()).toEqual(['inserted', 'key_taken']);
  expect(other).toBe('inserted');
  expect(await room.sql`select key from idempotency_keys order by key`).toEqual([{ key: 'a' }, { key: 'b' }]);
});

test('of those that answer one approval request the first is inserted, also when they come at one moment', async () => {
  await using room = await openInsertions();
  const [one, two] = [await approvalRequest(room), await approvalRequest(room)];
  const first = newResponseId();
  const outcomes = await inCompany(room, [
    { id: first, answers: [one] },
    { answers: [two, one] },
    { answers: [two] },
  ]);
  expect(outcomes).toEqual(['inserted', 'approval_taken', 'inserted']);
  expect((await room.sql`select answered_by from items where id = ${one}`)[0]).toEqual({
    answered_by: first,
  });
});

test('what stands in the way of one response keeps no other from being inserted', async () => {
  await using room = await openInsertions();
  const [parent, deleted] = [newResponseId(), newResponseId()];
  await Promise.all([room.insert({ id: parent }), room.insert({ id: deleted })]);
  await room.sql`update responses set deleted_at = now() where id = ${deleted}`;
  const outcomes = await inCompany(room, [
    { parent },
    { parent: deleted },
    { parent: newResponseId() },
    { answers: [newItemId('mcpr')] },
    { parent, key: 'k' },
  ]);
  expect(outcomes).toEqual(['inserted', 'parent_gone', 'parent_gone', 'approval_taken', 'inserted']);
});

test('one that the database refuses fails alone', async () => {
  await using room = await openInsertions();
  const refused = inCompany(room, [{}, { model: '\0' }, {}]);
  await expect(refused).rejects.toThrow('invalid byte sequence');
  await vi.waitUntil(async () => (await room.sql`select 1 from responses`).length === 4);
});

test('a process that was declared dead inserts nothing', async () => {
  await using room = await openInsertions();
  const outcomes = await inCompany(room, [{ processId: 'gone' }, { processId: 'gone', key: 'k' }, {}]);
  expect(outcomes).toEqual(['fenced', 'fenced', 'inserted']);
  expect(await room.sql`select 1 from idempotency_keys`).toHaveLength(0);
});

test.each(['parent', 'approval request'])(
  'a continuation whose %s is locked waits for that, and holds up nobody else',
  async (what) => {
    await using room = await openInsertions();
    const parent = newResponseId();
    await room.insert({ id: parent });
    const request = await approvalRequest(room);
    const holder = postgres(room.url, { max: 1 });
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const holding = holder.begin(async (tx) => {
      if (what === 'parent') await tx`select 1 from responses where id = ${parent} for update`;
      else await tx`select 1 from items where id = ${request} for update`;
      locked.resolve();
      await held;
    });
    await locked.promise;
    let isThere = false;
    const wait = () =>
      room.insert(what === 'parent' ? { parent } : { answers: [request] }).finally(() => {
        isThere = true;
      });
    const waiting = what === 'parent' ? [wait(), wait(), wait()] : [wait()];
    expect(await inCompany(room, [{}, {}, {}])).toEqual(['inserted', 'inserted', 'inserted']);
    waiting.push(...(what === 'parent' ? [wait()] : []));
    expect(await inCompany(room, [{}, {}])).toEqual(['inserted', 'inserted']);
    expect(isThere).toBe(false);
    letGo();
    await holding;
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['inserted']));
    await holder.end();
  },
);

test.each(['before it has done', 'after it has done'])(
  'responses whose shared statement lost the connection %s its work are inserted once',
  async (when) => {
    await using room = await openInsertions();
    const through = room.wrapped(async (count, run) => {
      if (count !== 3) return run();
      if (when === 'after it has done') await run();
      throw Object.assign(new Error('The connection is lost.'), { code: 'ECONNRESET' });
    });
    const outcomes = await inCompany(room, [{}, { key: 'k' }, { metadata: { a: 'b' } }], through);
    expect(outcomes).toEqual(['inserted', 'inserted', 'inserted']);
    expect(await room.sql`select 1 from responses`).toHaveLength(5);
    expect(await room.sql`select 1 from items`).toHaveLength(10);
    expect(await room.sql`select 1 from response_metadata`).toHaveLength(1);
  },
);
