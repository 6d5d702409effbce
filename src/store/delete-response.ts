import postgres from 'postgres';
import type { ResponseId } from '../protocol/ids.ts';
import type { Scope } from '../protocol/scope.ts';
import { type Clockwork, type Database, isDatabaseAway } from './database.ts';

export type DeleteOutcome = 'deleted' | 'not_found' | 'in_flight';

/**
 * Deletes an ended response for every reader. What it denied may be answered again; a call that it made stays made.
 * Its rows go at once, unless stored continuations still need its items; then they go with the last of those, and so
 * on up the branch. With `isHeard` somebody may still be reading how it ended: then its rows go with `purgeDeleted`.
 *
 * Single statements, each whole in itself, and no transaction over them: when a connection breaks under one, the
 * client rolls it back on a socket that is gone, and the process dies of it
 * (https://github.com/porsager/postgres/issues/1066).
 */
export async function deleteResponse(
  database: Database,
  scope: Scope,
  { id, isHeard }: { readonly id: ResponseId; readonly isHeard: boolean },
): Promise<DeleteOutcome> {
  const [row] = await database.as(
    scope,
    (sql) => sql<{ hasEnded: boolean }[]>`
    with target as (
      select id from responses
      where id = ${id} and tenant = ${scope.tenant} and deleted_at is null for update),
    -- Without a lock: one that ends while this waits for it has items that this statement does not see.
    ended as materialized (select id from responses where id = ${id} and completed_at is not null),
    marked as (
      update responses r set deleted_at = now(), trimmed_at = null from target
      where r.id = target.id and exists (select 1 from ended) returning r.id),
    reopened as (
      update items request set answered_by = null from marked
      where request.answered_by = marked.id and not exists (
        select 1 from items made
        where made.response_id = marked.id and made.direction = 'output' and made.type = 'mcp_call'
          and made.call_key = request.call_key)),
    gone as (delete from events where response_id in (select id from marked where not ${isHeard}))
    select exists (select 1 from ended) as "hasEnded" from target`,
  );
  if (row === undefined) return 'not_found';
  if (!row.hasEnded) return 'in_flight';
  if (isHeard) return 'deleted';
  try {
    await purgeUpwards(database, id);
  } catch (error) {
    // Deleted it is, for everybody; `purgeDeleted` does the rest.
    if (!isDatabaseAway(error)) throw error;
  }
  return 'deleted';
}

/** Removes what deleted responses have left: of those that somebody was still reading, or whose removal broke off. */
export async function purgeDeleted(database: Clockwork): Promise<void> {
  for (;;) {
    const rows = await database.acrossTenants<{ id: ResponseId }[]>`
      select id from responses
      where deleted_at < now() - interval '30 seconds' and trimmed_at is null and completed_at is not null
      limit ${PURGED_AT_ONCE}`;
    for (const { id } of rows) await purgeUpwards(database, id);
    if (rows.length < PURGED_AT_ONCE) return;
  }
}

const PURGED_AT_ONCE = 100;

/** Removes a deleted response and, one after the other, those before it that nobody needs any more. */
async function purgeUpwards(database: Clockwork, id: ResponseId): Promise<void> {
  for (let next: ResponseId | null = id; next !== null; ) next = await purge(database, next);
}

/**
 * Removes a deleted response that nobody needs, with its log. Gives the one before it, which may be the next to go; if
 * that is deleted too, its row says so (`trimmed_at` is null), so that it goes even if this process does not come to
 * it. One that is still needed loses its log only.
 */
async function purge({ acrossTenants: sql }: Clockwork, id: ResponseId): Promise<ResponseId | null> {
  try {
    const [removed] = await sql<{ parent: ResponseId | null }[]>`
      with removed as (
        delete from responses r where id = ${id} and deleted_at is not null
          and not exists (select 1 from responses c where c.previous_response_id = r.id)
        returning id, previous_response_id as parent),
      gone as (delete from events where response_id in (select id from removed)),
      next as (
        update responses r set trimmed_at = null from removed
        where r.id = removed.parent and r.deleted_at is not null)
      select parent from removed`;
    if (removed !== undefined) return removed.parent;
  } catch (error) {
    const isNeeded = error instanceof postgres.PostgresError && error.code === FOREIGN_KEY_VIOLATION;
    if (!isNeeded) throw error; // else a continuation was inserted at this very moment
  }
  await sql`
    with needed as materialized ( -- waits for one that is being removed right now
      select 1 from responses where previous_response_id = ${id} limit 1 for key share),
    kept as (
      update responses set trimmed_at = now()
      where id = ${id} and deleted_at is not null and trimmed_at is null and exists (select 1 from needed)
      returning id)
    delete from events where response_id in (select id from kept)`;
  return null;
}

const FOREIGN_KEY_VIOLATION = '23503';
