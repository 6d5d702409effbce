import { expect, test, vi } from 'vitest';
import { newResponseId } from '../../src/protocol/ids.ts';
import { openDatabase } from '../../src/store/database.ts';
import { commitEvents } from '../../src/store/event-log.ts';
import { endProcess, registerProcess } from '../../src/store/processes.ts';
import { anyEvent } from '../support/log-rows.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { holdCommit } from './hold-commit.ts';

const responseId = newResponseId();

const batch = (number: number) => ({
  batches: [{ tenant: 'default', responseId, events: [anyEvent(number)] }],
  endings: [],
});

test('what a process commits while it ends its lease is in the log before others may take over, or refused', async () => {
  await using made = await createTestDatabase();
  const database = openDatabase(made.url);
  const log = async () => (await made.sql`select first from events`).map(({ first }) => first);
  await registerProcess(database, 'proc_1', 60_000);
  await using held = await holdCommit(made, 'in_progress');
  const committed = commitEvents(database, 'proc_1', batch(0));
  await held.reached();
  let hasEnded = false;
  const logAtTheEnd = endProcess(database, 'proc_1').then(() => {
    hasEnded = true;
    return log(); // what others go on from
  });
  await vi.waitUntil(async () => hasEnded || (await held.isWaitedFor()), { interval: 10, timeout: 5000 });
  if (hasEnded) await logAtTheEnd;
  await held.letGo();
  expect(await logAtTheEnd).toEqual((await committed) ? [0] : []);
  expect(await commitEvents(database, 'proc_1', batch(1))).toBe(false);
  expect(await log()).toEqual(await logAtTheEnd);
  await database.close();
});
