import type { Clockwork } from '../../src/store/database.ts';
import { trimLogs } from '../../src/store/retention.ts';
import type { TestApp } from './test-app.ts';

/** Removes the logs of all responses that have ended, as an instance does once they are old enough. */
export async function trimAll({ database: { sql } }: Pick<TestApp, 'database'>): Promise<number> {
  return trimLogs({ acrossTenants: sql } satisfies Clockwork, { minutes: 0, limit: 1000 });
}
