import { expect, test } from 'vitest';
import type { ResponseId } from '../../src/protocol/ids.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import {
  claimEnding,
  claimWaiting,
  handBack,
  MAX_TAKE_OVERS,
  stillReserved,
} from '../../src/store/ownership.ts';
import { randomId } from '../support/seed.ts';
import { createTestDatabase } from '../support/test-database.ts';

interface Row {
  readonly status?: 'queued' | 'in_progress' | 'completed';
  readonly background?: boolean;
  readonly owner?: string | null;
  readonly takeOvers?: number;
  readonly isUnwanted?: boolean;
}

/** A database with the processes `here`, `there` and the dead one `gone`. */
async function start() {
  const made = await createTestDatabase();
  const database = openDatabase(made.url);
  const { sql } = made;
  await sql`
    insert into processes (id, expires_at, ended_at) values
      ('here', now() + interval '1 h', null), ('there', now() + interval '1 h', null), ('gone', now(), now())`;
  let seconds = 0;
  return {
    database,
    sql,
    add: async (row: Row = {}) => {
      const { status = 'in_progress', background = true, owner = 'gone', takeOvers = 0 } = row;
      const id = randomId('resp') as ResponseId;
      const created = new Date(Date.UTC(2026, 0, 1) + 1000 * seconds++).toISOString();
      await sql`
        insert into responses (id, tenant, created_at, status, completed_at, model, depth, settings, metadata,
          background, process_id, take_overs, cancel_requested_at)
        values (${id}, 'default', ${created}, ${status}, ${status === 'completed' ? created : null}, 'm', 0, '{}', '{}',
          ${background}, ${owner}, ${takeOvers}, ${row.isUnwanted ? created : null})`;
      return id;
    },
    ownerOf: async (id: ResponseId) => (await sql`select process_id from responses where id = ${id}`)[0]?.[0],
    async [Symbol.asyncDispose]() {
      await database.close();
      await made[Symbol.asyncDispose]();
    },
  };
}

const claim = { processId: 'here', inHand: [], reserved: [], limit: 100 };
const ending = { processId: 'here', except: [], limit: 100 };

const waiting = async (database: Database, more: Partial<typeof claim> | object = {}) =>
  (await claimWaiting(database, { ...claim, ...more })).map(({ id }) => id).sort();

test('what nobody runs is claimed, the oldest first, and begun at once', async () => {
  await using room = await start();
  const queued = await room.add({ status: 'queued', owner: null });
  const left = await room.add();
  const later = await room.add({ status: 'queued', owner: 'gone' });
  const found = await claimWaiting(room.database, { ...claim, limit: 2 });
  expect(found.map(({ id }) => id).sort()).toEqual([queued, left].sort());
  const rows =
    await room.sql`select id, status, process_id as owner, take_overs from responses order by created_at`;
  expect(rows).toEqual([
    { id: queued, status: 'in_progress', owner: 'here', take_overs: 0 },
    { id: left, status: 'in_progress', owner: 'here', take_overs: 1 },
    { id: later, status: 'queued', owner: 'gone', take_overs: 0 },
  ]);
});

test('a response that was handed back is claimed, and that counts as no take-over', async () => {
  await using room = await start();
  const id = await room.add({ owner: 'there', takeOvers: 2 });
  const kept = await room.add({ owner: 'there' });
  const streamed = await room.add({ owner: 'there', background: false });
  await handBack(room.database, 'there', [kept]);
  expect(await claimWaiting(room.database, claim)).toEqual([
    { tenant: 'default', id, background: true, isUnwanted: false, takeOvers: 2 },
  ]);
  const rows = await room.sql`select id from responses where process_id = 'there' order by created_at`;
  expect(rows).toEqual([{ id: kept }, { id: streamed }]);
});

test('what was taken over often and then handed back still goes on', async () => {
  await using room = await start();
  const id = await room.add({ owner: null, takeOvers: MAX_TAKE_OVERS });
  expect(await claimEnding(room.database, ending)).toEqual([]);
  expect(await waiting(room.database)).toEqual([id]);
});

test('nobody takes what a living process has, what has ended, or what is streamed', async () => {
  await using room = await start();
  await room.add({ owner: 'there' });
  await room.add({ owner: 'there', status: 'queued' });
  await room.add({ owner: 'here', background: false });
  await room.add({ status: 'completed' });
  await room.add({ background: false });
  expect(await waiting(room.database)).toEqual([]);
});

test('of its own a process claims what an earlier claim left behind, and of what waits for it what is ready', async () => {
  await using room = await start();
  const left = await room.add({ owner: 'here' });
  const unwanted = await room.add({ owner: 'here', isUnwanted: true, takeOvers: MAX_TAKE_OVERS + 1 });
  const inHand = await room.add({ owner: 'here' });
  const reserved = await room.add({ owner: 'here', status: 'queued' });
  await room.add({ owner: 'here', status: 'queued' }); // whoever queued it is about to say so
  const found = await waiting(room.database, { inHand: [inHand], reserved: [reserved] });
  expect(found).toEqual([left, unwanted, reserved].sort());
});

test('what is unwanted, was taken over too often, or was waited for is claimed to be ended', async () => {
  await using room = await start();
  const cases = [
    await room.add({ isUnwanted: true }),
    await room.add({ isUnwanted: true, owner: null, status: 'queued' }),
    await room.add({ isUnwanted: true, owner: 'here', status: 'queued' }),
    await room.add({ takeOvers: MAX_TAKE_OVERS }),
    await room.add({ background: false }),
    await room.add({ background: false, isUnwanted: true }),
  ];
  await room.add();
  await room.add({ owner: null, status: 'queued' });
  await room.add({ owner: 'there', isUnwanted: true });
  await room.add({ owner: 'here', isUnwanted: true }); // runs here, and is told
  await room.add({ owner: 'here', background: false });
  const found = await claimEnding(room.database, ending);
  expect(found.map(({ id }) => id).sort()).toEqual(cases.sort());
  // One that could not be ended is found again; in the background by the other claim, once it has begun.
  const again = await claimEnding(room.database, ending);
  const all = [...again.map(({ id }) => id), ...(await waiting(room.database))];
  expect(found.filter(({ id }) => !all.includes(id))).toEqual([]);
  expect(await claimEnding(room.database, { ...ending, except: again.map(({ id }) => id) })).toEqual([]);
});

test('a process that was declared dead claims nothing', async () => {
  await using room = await start();
  await room.add({ owner: null });
  await room.add({ background: false });
  expect(await waiting(room.database, { processId: 'gone' })).toEqual([]);
  expect(await claimEnding(room.database, { ...ending, processId: 'gone' })).toEqual([]);
  expect(await waiting(room.database, { processId: 'never was' })).toEqual([]);
});

test.each(['claimed to be run', 'claimed to be ended'])(
  'a row that another process claims after a claim has begun stays with it (%s)',
  async (how) => {
    await using room = await start();
    const ends = how === 'claimed to be ended';
    const ids = [await room.add({ background: !ends }), await room.add({ background: !ends })];
    const claimAs = async (processId: string) =>
      ends
        ? claimEnding(room.database, { ...ending, processId })
        : claimWaiting(room.database, { ...claim, processId });
    let late: Promise<readonly unknown[]> = Promise.resolve([]);
    await room.sql.begin(async (tx) => {
      await tx`select 1 from processes where id = 'here' for update`;
      late = claimAs('here'); // has its snapshot, and waits
      await expect
        .poll(() => room.sql`select 1 from pg_stat_activity where wait_event_type = 'Lock'`)
        .toHaveLength(1);
      // A process that the late one cannot know of.
      await room.sql`insert into processes (id, expires_at) values ('new', now() + interval '1 h')`;
      expect(await claimAs('new')).toHaveLength(2);
    });
    expect(await late).toEqual([]);
    const rows = await room.sql`select id from responses where process_id = 'new'`;
    expect(rows.map((row) => row['id']).sort()).toEqual(ids.sort());
  },
);

test('many that claim at once share without a double', async () => {
  await using room = await start();
  const ids: ResponseId[] = [];
  for (let each = 0; each < 40; each++) ids.push(await room.add({ status: 'queued', owner: null }));
  const claims = Array.from({ length: 40 }, (_, each) =>
    waiting(room.database, { processId: each % 2 === 0 ? 'here' : 'there', limit: 3, inHand: ids }),
  );
  const found = (await Promise.all(claims)).flat();
  expect(new Set(found).size).toBe(found.length);
});

test('what waits for a process is its own until another living one has it, or it has ended', async () => {
  await using room = await start();
  const own = await room.add({ owner: 'here', status: 'queued' });
  const formerly = await room.add({ owner: 'gone', status: 'queued' });
  const lost = await room.add({ owner: 'there' });
  const over = await room.add({ owner: 'here', status: 'completed' });
  const kept = await stillReserved(room.database, 'here', [own, formerly, lost, over]);
  expect(kept).toEqual(new Set([own, formerly]));
});
