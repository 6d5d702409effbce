import type { ResponseId } from '../protocol/ids.ts';
import type { Database } from './database.ts';

/** Announces this process, alive for `leaseMs` by the database's clock. */
export async function registerProcess({ sql }: Database, id: string, leaseMs: number): Promise<void> {
  await sql`insert into processes (id, expires_at) values (${id}, now() + ${leaseMs} * interval '1 millisecond')`;
}

/**
 * The time by the database's clock; null if this process has been declared dead: nothing it still runs is its own
 * any more.
 */
export async function renewLease({ sql }: Database, id: string, leaseMs: number): Promise<string | null> {
  const [row] = await sql<{ time: string }[]>`
    update processes set expires_at = now() + ${leaseMs} * interval '1 millisecond'
    where id = ${id} and ended_at is null returning now()::text as time`;
  return row?.time ?? null;
}

/** A clean stop. */
export async function endProcess({ sql }: Database, id: string): Promise<void> {
  await sql`update processes set ended_at = now() where id = ${id} and ended_at is null`;
}

/**
 * Declares dead every other process whose lease had run out at `time`, however late this statement arrives. Waits
 * for what such a process is committing right now; what it tries after that comes to nothing. Never oneself:
 * whoever can ask is alive.
 */
export async function declareExpiredDead({ sql }: Database, ownId: string, time: string): Promise<void> {
  await sql`
    with expired as (
      select id from processes where ended_at is null and expires_at < ${time}::text::timestamptz and id <> ${ownId} for update)
    update processes p set ended_at = now() from expired where p.id = expired.id`;
}

/** Declares every process dead: for a database that only one process can be using. */
export async function declareAllDead({ sql }: Database): Promise<void> {
  await sql`update processes set ended_at = now() where ended_at is null`;
}

export interface Orphan {
  readonly tenant: string;
  readonly id: ResponseId;
}

/** Responses in flight whose process is dead, oldest first. */
export async function findOrphans({ sql }: Database, limit: number): Promise<readonly Orphan[]> {
  return sql<Orphan[]>`
    select r.tenant, r.id from responses r join processes p on p.id = r.process_id
    where r.status = 'in_progress' and p.ended_at is not null
    order by r.created_at limit ${limit}`;
}

/** Forgets processes that ended a day ago and that no response names as its owner while in flight. */
export async function forgetEndedProcesses({ sql }: Database): Promise<void> {
  await sql`
    delete from processes p where ended_at < now() - interval '1 day' and not exists (
      select 1 from responses r where r.process_id = p.id and r.status = 'in_progress')`;
}
