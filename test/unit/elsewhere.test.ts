import { expect, test, vi } from 'vitest';
import { Elsewhere } from '../../src/engine/following/elsewhere.ts';
import { Hub } from '../../src/engine/following/hub.ts';
import type { ResponseId } from '../../src/protocol/ids.ts';
import type { Clockwork } from '../../src/store/database.ts';
import { lookAtFollowed } from '../../src/store/following.ts';
import { createLogger } from '../../src/util/logger.ts';
import { anyEvent, openLogs } from '../support/log-rows.ts';

const log = [anyEvent(0), anyEvent(1)];
const GONE = Number.POSITIVE_INFINITY;

/** Looks at what is followed; `woken` says who was woken with what. */
function startElsewhere(database: Clockwork, runsHere: readonly ResponseId[] = []) {
  const hub = new Hub();
  const woken: (readonly [ResponseId, number])[] = [];
  const elsewhere = new Elsewhere({
    database,
    hub,
    logger: createLogger('silent'),
    pollMs: 20,
    runsHere: (id) => runsHere.includes(id),
  });
  const follow = (id: ResponseId) =>
    hub.listen(id, { told: () => expect.unreachable(), woken: (last) => void woken.push([id, last]) });
  return { hub, elsewhere, woken, follow };
}

test('a look tells how far each response is, and who is gone', async () => {
  await using logs = await openLogs();
  const inFlight = await logs.add({ log });
  const ended = await logs.add({ endedAgo: 5, log: [...log, anyEvent(2)] });
  const trimmed = await logs.add({ endedAgo: 5, log: [...log, anyEvent(2), anyEvent(3)] });
  await logs.sql`delete from events where response_id = ${trimmed}`;
  const deleted = await logs.add({ endedAgo: 5, isDeleted: true });
  const purged = `resp_${'0'.repeat(32)}` as ResponseId;
  const here = await logs.add({ log });
  const { elsewhere, woken, follow } = startElsewhere(logs.database, [here]);
  for (const id of [inFlight, ended, trimmed, deleted, purged, here]) follow(id);
  elsewhere.look();
  await vi.waitUntil(() => woken.length === 5, { interval: 5 });
  expect(new Map(woken)).toEqual(
    new Map([
      [inFlight, 1],
      [ended, 2],
      [trimmed, 3],
      [deleted, GONE],
      [purged, GONE],
    ]),
  );
});

test('it notes that somebody follows, on those in flight that need somebody, and waits for no lock', async () => {
  await using logs = await openLogs();
  const streamed = await logs.add({ log });
  const locked = await logs.add({ log });
  const background = await logs.add({ log, background: true });
  const ended = await logs.add({ log, endedAgo: 5 });
  const ids = [streamed, locked, background, ended];
  await logs.sql.begin(async (tx) => {
    await tx`select 1 from responses where id = ${locked} for update`;
    expect(await lookAtFollowed(logs.database, ids)).toHaveLength(4);
  });
  const followed = await logs.sql`select id from responses where followed_at is not null`;
  expect(followed.map(({ id }) => id)).toEqual([streamed]);
});

test('it looks by itself, with one statement for all, and not at all for nobody', async () => {
  vi.useFakeTimers();
  let looks = 0;
  const sql = async (_: unknown, ids: readonly string[]) => {
    looks++;
    return ids.map((id) => ({ id, last: 7 }));
  };
  const { elsewhere, woken, follow } = startElsewhere({ acrossTenants: sql } as unknown as Clockwork);
  elsewhere.start();
  await vi.advanceTimersByTimeAsync(100);
  expect(looks).toBe(0);
  const ids = Array.from(
    { length: 100 },
    (_, index) => `resp_${String(index).padStart(32, '0')}` as ResponseId,
  );
  const leave = ids.map(follow);
  await vi.advanceTimersByTimeAsync(60);
  expect([looks, woken.length]).toEqual([3, 300]);
  for (const each of leave) each();
  await vi.advanceTimersByTimeAsync(60);
  expect(looks).toBe(3);
  follow(`resp_${'0'.repeat(32)}` as ResponseId);
  elsewhere.stop();
  await vi.advanceTimersByTimeAsync(60);
  expect(looks).toBe(3);
  vi.useRealTimers();
});

test('never two looks at a time, and one more for whoever asks during one', async () => {
  const answers: PromiseWithResolvers<readonly object[]>[] = [];
  const sql = () => {
    const answer = Promise.withResolvers<readonly object[]>();
    answers.push(answer);
    return answer.promise;
  };
  const { elsewhere, follow } = startElsewhere({ acrossTenants: sql } as unknown as Clockwork);
  follow(`resp_${'0'.repeat(32)}` as ResponseId);
  for (let times = 0; times < 3; times++) elsewhere.look();
  expect(answers).toHaveLength(1);
  answers[0]?.resolve([]);
  await vi.waitUntil(() => answers.length === 2, { interval: 1 });
  answers[1]?.resolve([]);
  await new Promise(setImmediate);
  expect(answers).toHaveLength(2);
});

test('a database that is away is asked again at the next turn', async () => {
  let looks = 0;
  const sql = async (_: unknown, ids: readonly string[]) => {
    if (++looks < 3) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    return ids.map((id) => ({ id, last: 7 }));
  };
  const { elsewhere, woken, follow } = startElsewhere({ acrossTenants: sql } as unknown as Clockwork);
  follow(`resp_${'0'.repeat(32)}` as ResponseId);
  elsewhere.start();
  await vi.waitUntil(() => woken.length > 0, { interval: 5 });
  expect(looks).toBe(3);
  elsewhere.stop();
});
