import type { ResponseEvent } from '../../src/protocol/events.ts';
import type { ResponseId } from '../../src/protocol/ids.ts';
import { INITIAL_STATE } from '../../src/protocol/response.ts';
import { openDatabase } from '../../src/store/database.ts';
import { randomId } from './seed.ts';
import { createTestDatabase } from './test-database.ts';

export interface LogRow {
  /** Minutes since it ended; null: in flight. */
  readonly endedAgo?: number | null;
  readonly background?: boolean;
  readonly isDeleted?: boolean;
  readonly isTrimmed?: boolean;
  /** The events of its log, one row each. */
  readonly log?: readonly ResponseEvent[];
}

/** An event whose body is about so long. */
export function anyEvent(sequenceNumber: number, size = 0): ResponseEvent {
  const state = { ...INITIAL_STATE, error: { code: 'server_error', message: 'x'.repeat(size) } } as const;
  return { type: 'response.in_progress', state, sequenceNumber };
}

/** A database with responses and logs that no engine has made. */
export async function openLogs() {
  const made = await createTestDatabase();
  const { sql } = made;
  const database = openDatabase(made.url);
  return {
    database,
    sql,
    add: async ({
      endedAgo = null,
      background = false,
      isDeleted = false,
      isTrimmed = false,
      log = [],
    }: LogRow = {}) => {
      const id = randomId('resp') as ResponseId;
      const last = endedAgo === null ? null : (log.at(-1)?.sequenceNumber ?? 0);
      await sql`
        insert into responses (id, tenant, created_at, status, completed_at, model, depth, settings, metadata, background,
          last_sequence, deleted_at, trimmed_at)
        values (${id}, 'default', now(), ${endedAgo === null ? 'in_progress' : 'completed'},
          now() - ${endedAgo}::int * interval '1 minute', 'm', 0, '{}', '{}', ${background}, ${last},
          ${isDeleted ? sql`now()` : null}, ${isTrimmed ? sql`now()` : null})`;
      const rows = log.map((event) => {
        const { sequenceNumber: first } = event;
        return { tenant: 'default', response_id: id, first, last: first, body: JSON.stringify([event]) };
      });
      if (rows.length > 0) await sql`insert into events ${sql(rows)}`;
      return id;
    },
    async [Symbol.asyncDispose]() {
      await database.close();
      await made[Symbol.asyncDispose]();
    },
  };
}
