import type { Clockwork } from './database.ts';

/** Announces this process, alive for `leaseMs` by the database's clock. */
export async function registerProcess(
  { acrossTenants: sql }: Clockwork,
  id: string,
  leaseMs: number,
): Promise<void> {
  await sql`insert into processes (id, expires_at) values (${id}, now() + ${leaseMs} * interval '1 millisecond')`;
}

export interface Renewal {
  /** By the database's clock. */
  readonly time: string;
  /** True if no other process seems to be alive. */
  readonly isAlone: boolean;
}

/** Null if this process has been declared dead: nothing it still runs is its own any more. */
export async function renewLease(
  { acrossTenants: sql }: Clockwork,
  id: string,
  leaseMs: number,
): Promise<Renewal | null> {
  const [row] = await sql<Renewal[]>`
    update processes set expires_at = now() + ${leaseMs} * interval '1 millisecond'
    where id = ${id} and ended_at is null
    returning now()::text as time, not exists (
      select 1 from processes other where other.id <> ${id} and other.ended_at is null) as "isAlone"`;
  return row ?? null;
}

/** A clean stop. */
export async function endProcess({ acrossTenants: sql }: Clockwork, id: string): Promise<void> {
  await sql`
    with own as (select id from processes where id = ${id} and ended_at is null for update)
    update processes p set ended_at = now() from own where p.id = own.id`;
}

/**
 * Declares dead every other process whose lease had run out at `time`, however late this statement arrives. Waits
 * for what such a process is committing right now; what it tries after that comes to nothing. Never oneself:
 * whoever can ask is alive.
 */
export async function declareExpiredDead(
  { acrossTenants: sql }: Clockwork,
  ownId: string,
  time: string,
): Promise<void> {
  await sql`
    with expired as (
      select id from processes where ended_at is null and expires_at < ${time}::text::timestamptz and id <> ${ownId} for update)
    update processes p set ended_at = now() from expired where p.id = expired.id`;
}

/** Declares every process dead: for a database that only one process can be using. */
export async function declareAllDead({ acrossTenants: sql }: Clockwork): Promise<void> {
  await sql`update processes set ended_at = now() where ended_at is null`;
}

/** Forgets processes that ended a day ago and that no response names as its owner while in flight. */
export async function forgetEndedProcesses({ acrossTenants: sql }: Clockwork): Promise<void> {
  await sql`
    delete from processes p where ended_at < now() - interval '1 day' and not exists (
      select 1 from responses r where r.process_id = p.id and r.status in ('queued', 'in_progress'))`;
}
