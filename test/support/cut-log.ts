import { fromLogText } from '../../src/protocol/log-text.ts';
import type { TestDatabase } from './test-database.ts';

/** An event as it is stored. */
export interface Logged {
  readonly sequenceNumber: number;
  readonly type: string;
  readonly outputIndex?: number;
  readonly starts?: boolean;
}

/** The log of a response, event by event, as it is stored. */
export async function readLog({ sql }: TestDatabase, id: string): Promise<readonly Logged[]> {
  const rows = await sql<
    { body: string }[]
  >`select body from events where response_id = ${id} order by first`;
  return rows.flatMap(({ body }) => fromLogText(body));
}

/** What a process leaves that dies after it has committed these events of a background response, and no more. */
export async function leaveAfter({ sql }: TestDatabase, id: string, log: readonly Logged[]): Promise<void> {
  const last = log.at(-1)?.sequenceNumber ?? 0;
  await sql.begin(async (tx) => {
    await tx`
      insert into processes (id, expires_at, ended_at) values ('dead', now(), now()) on conflict do nothing`;
    await tx`delete from events where response_id = ${id}`;
    await tx`delete from items where response_id = ${id} and direction = 'output'`;
    await tx`
      insert into events (tenant, response_id, first, last, body)
      values ('default', ${id}, 0, ${last}, ${JSON.stringify(log)})`;
    await tx`
      update responses set status = 'in_progress', completed_at = null, last_sequence = null, usage = null,
        error = null, process_id = 'dead', take_overs = 0
      where id = ${id}`;
  });
}
