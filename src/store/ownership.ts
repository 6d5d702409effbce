import type { ResponseId } from '../protocol/ids.ts';
import type { Clockwork } from './database.ts';

/** A response in flight that has just become this process's own. */
export interface Claimed {
  readonly tenant: string;
  readonly id: ResponseId;
  readonly background: boolean;
  /** Somebody wanted it cancelled. */
  readonly isUnwanted: boolean;
  /** How often it was taken over from a process that died, this time included. */
  readonly takeOvers: number;
}

/** A response that was taken over this often from processes that died is run no more: it may be what kills them. */
export const MAX_TAKE_OVERS = 5;

export interface WaitingClaim {
  readonly processId: string;
  /** What this process runs, or has given up. Whatever else it has begun was left behind by a claim that failed. */
  readonly inHand: readonly ResponseId[];
  /** What waits for this process and no other, and is ready to be run. */
  readonly reserved: readonly ResponseId[];
  /** At most this many, the oldest first. */
  readonly limit: number;
}

/**
 * Takes background responses that nobody runs: queued, handed back, left by a dead process, or claimed before by this
 * one, which then learnt nothing of it. Those may be unwanted by now. Skips what another process is claiming right
 * now. Gives nothing if this process has been declared dead.
 */
export function claimWaiting(
  { acrossTenants: sql }: Clockwork,
  { processId, inHand, reserved, limit }: WaitingClaim,
): Promise<readonly Claimed[]> {
  // Of a row that another process has claimed since this statement began, the conditions are asked again with the
  // new owner: hence a look-up among those known to be dead, and no join, which would find nobody and take it for free.
  return sql<Claimed[]>`
    with alive as (select 1 from processes where id = ${processId} and ended_at is null for key share),
    dead as materialized (select id from processes where ended_at is not null),
    found as (
      select id from responses
      where ${inFlight(sql)} and background and exists (select 1 from alive)
        and case when process_id = ${processId}
          then id <> all(${inHand}::text[]) and (
            status = 'in_progress' or id = any(${reserved}::text[]) and cancel_requested_at is null)
          else (process_id is null or process_id in (select id from dead) and take_overs < ${MAX_TAKE_OVERS})
            and cancel_requested_at is null end
      order by created_at, id limit ${limit} for update skip locked)
    update responses r set process_id = ${processId}, status = 'in_progress', take_overs = ${takenOver(sql, processId)}
    from found where r.id = found.id returning ${claimed(sql)}`;
}

export interface EndingClaim {
  readonly processId: string;
  /** Not these. */
  readonly except: readonly ResponseId[];
  readonly limit: number;
}

/**
 * Takes responses that nobody runs and nobody shall run again, so that whoever takes them ends them: what dead
 * processes have left of what somebody waited for, and in the background what is not wanted, or was taken over too
 * often. Those that this process claimed before and could not end are among them.
 */
export function claimEnding(
  { acrossTenants: sql }: Clockwork,
  { processId, except, limit }: EndingClaim,
): Promise<readonly Claimed[]> {
  return sql<Claimed[]>`
    with alive as (select 1 from processes where id = ${processId} and ended_at is null for key share),
    dead as materialized (select id from processes where ended_at is not null),
    found as (
      select id from responses
      where ${inFlight(sql)} and exists (select 1 from alive) and id <> all(${except}::text[])
        and not (background and cancel_requested_at is null and (process_id is null or take_overs < ${MAX_TAKE_OVERS}))
        and case when process_id = ${processId}
          -- What is begun in the background belongs to its run here, or to the next claim of those that wait.
          then case when background then status = 'queued' else take_overs > 0 end
          else process_id is null or process_id in (select id from dead) end
      order by created_at, id limit ${limit} for update skip locked)
    update responses r set process_id = ${processId}, take_overs = ${takenOver(sql, processId)}
    from found where r.id = found.id returning ${claimed(sql)}`;
}

/** As the index of those that are owned has it; `completed_at is null` says the same, for those named by their id. */
function inFlight(sql: Clockwork['acrossTenants']) {
  return sql`status in ('queued', 'in_progress')`;
}

function takenOver(sql: Clockwork['acrossTenants'], processId: string) {
  return sql`r.take_overs
    + case when r.status = 'in_progress' and r.process_id is not null and r.process_id <> ${processId} then 1 else 0 end`;
}

function claimed(sql: Clockwork['acrossTenants']) {
  return sql`r.tenant, r.id, r.background, r.cancel_requested_at is not null as "isUnwanted",
    r.take_overs as "takeOvers"`;
}

/** Gives back every background response of a process but those that it keeps. It writes nothing more of them. */
export async function handBack(
  { acrossTenants: sql }: Clockwork,
  processId: string,
  keep: readonly ResponseId[],
): Promise<void> {
  await sql`
    update responses set process_id = null
    where process_id = ${processId} and background and ${inFlight(sql)} and id <> all(${keep}::text[])`;
}

/** Of these responses, those that wait for this process still: not ended, and not with another one that lives. */
export async function stillReserved(
  { acrossTenants: sql }: Clockwork,
  processId: string,
  ids: readonly ResponseId[],
): Promise<ReadonlySet<ResponseId>> {
  const rows = await sql<{ id: ResponseId }[]>`
    select id from responses r where id = any(${ids}::text[]) and completed_at is null and not exists (
      select 1 from processes p where p.id = r.process_id and p.id <> ${processId} and p.ended_at is null)`;
  return new Set(rows.map(({ id }) => id));
}

/** The responses of a process that somebody wants cancelled. */
export async function unwantedRuns(
  { acrossTenants: sql }: Clockwork,
  processId: string,
): Promise<readonly ResponseId[]> {
  const rows = await sql<{ id: ResponseId }[]>`
    select id from responses
    where process_id = ${processId} and completed_at is null and cancel_requested_at is not null`;
  return rows.map(({ id }) => id);
}

/** Of these responses, those that an instance has had followers of within `graceMs`, or that are in flight no more. */
export async function stillFollowed(
  { acrossTenants: sql }: Clockwork,
  ids: readonly ResponseId[],
  graceMs: number,
): Promise<ReadonlySet<ResponseId>> {
  const rows = await sql<{ id: ResponseId }[]>`
    select id from responses where id = any(${ids}::text[])
      and (completed_at is not null or followed_at > now() - ${graceMs} * interval '1 millisecond')`;
  return new Set(rows.map(({ id }) => id));
}
