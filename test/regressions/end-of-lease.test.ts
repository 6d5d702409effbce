import { expect, test, vi } from 'vitest';
import type { ResponseId } from '../../src/protocol/ids.ts';
import { commitEvents } from '../../src/store/event-log.ts';
import { endProcess, registerProcess } from '../../src/store/processes.ts';
import { anyEvent, openLogs } from '../support/log-rows.ts';
import { holdCommit } from './hold-commit.ts';

const batchFor = (responseId: ResponseId, number: number) => ({
  batches: [{ tenant: 'default', responseId, events: [anyEvent(number)] }],
  endings: [],
});

test('what a process commits while it ends its lease is in the log before others may take over, or refused', async () => {
  await using logs = await openLogs();
  const { database, sql } = logs;
  const id = await logs.add();
  const log = async () => {
    const rows = await sql`select first from events where response_id = ${id} order by first`;
    return rows.map(({ first }) => first);
  };
  await registerProcess(database, 'proc_old', 60_000);
  await using held = await holdCommit({ url: logs.url }, 'in_progress');
  const committed = commitEvents(database, 'proc_old', batchFor(id, 0));
  await held.reached();
  let hasEnded = false;
  const logAtTheEnd = endProcess(database, 'proc_old').then(() => {
    hasEnded = true;
    return log();
  });
  await vi.waitUntil(async () => hasEnded || (await held.isWaitedFor()), { interval: 10, timeout: 5000 });
  await held.letGo();
  expect(await logAtTheEnd).toEqual((await committed) ? [0] : []);
  expect(await commitEvents(database, 'proc_old', batchFor(id, 1))).toBe(false);
  expect(await log()).toEqual(await logAtTheEnd);
});
