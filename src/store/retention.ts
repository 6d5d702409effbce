import type { Clockwork } from './database.ts';

/**
 * Removes the logs of responses that ended more than so many minutes ago, at most `limit` of them, the oldest first.
 * What another process is trimming right now is left to that one, what was deleted to `purgeDeleted`.
 *
 * @returns how many were trimmed.
 */
export async function trimLogs(
  { acrossTenants: sql }: Clockwork,
  { minutes, limit }: { readonly minutes: number; readonly limit: number },
): Promise<number> {
  const [row] = await sql<[{ trimmed: number }]>`
    with old as (
      select id from responses
      where trimmed_at is null and deleted_at is null and completed_at < now() - ${minutes} * interval '1 minute'
      order by completed_at limit ${limit} for no key update skip locked),
    gone as (delete from events where response_id in (select id from old)),
    marked as (update responses r set trimmed_at = now() from old where r.id = old.id returning 1)
    select count(*)::int as trimmed from marked`;
  return row.trimmed;
}
