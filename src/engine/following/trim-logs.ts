import type { Clockwork } from '../../store/database.ts';
import { trimLogs as trimSome } from '../../store/retention.ts';

/** Logs in one statement: they may hold thousands of rows each. */
const BATCH = 100;

/** Removes the logs of all responses that ended more than so many minutes ago. */
export async function trimLogs(database: Clockwork, minutes: number): Promise<void> {
  while ((await trimSome(database, { minutes, limit: BATCH })) === BATCH);
}
