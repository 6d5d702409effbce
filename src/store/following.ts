import type { ResponseId } from '../protocol/ids.ts';
import type { ResponseState } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Clockwork, Tenants } from './database.ts';
import { outputsOf } from './items.ts';
import { findAnyResponse } from './response-rows.ts';

/** How far a response has come, as a process sees it that does not run it. */
export interface Progress {
  readonly id: ResponseId;
  /** The number of its last event; null if the response is gone. */
  readonly last: number | null;
}

/**
 * Looks at responses that this process has followers of and does not run, and notes on those in flight that somebody
 * follows them: their owner cancels the ones that nobody does. Background runs need nobody. Waits for no other
 * statement: what is locked is being written, and is noted the next time.
 */
export async function lookAtFollowed(
  { acrossTenants: sql }: Clockwork,
  ids: readonly ResponseId[],
): Promise<readonly Progress[]> {
  return sql<Progress[]>`
    with asked as (select unnest(${ids}::text[]) as id),
    in_flight as (
      select r.id from responses r join asked using (id)
      where r.completed_at is null and not r.background for no key update of r skip locked),
    noted as (update responses r set followed_at = now() from in_flight where r.id = in_flight.id)
    select asked.id, case when r.id is not null then coalesce(r.last_sequence, logged.last, -1) end as last
    from asked left join responses r on r.id = asked.id and r.deleted_at is null
      left join lateral (
        select e.last from events e where e.response_id = asked.id order by e.first desc limit 1) logged on true`;
}

/** How a response ended, all of it: what is left to tell of it once its log is gone. Null if there is none. */
export async function endOfTrimmed(
  tenants: Tenants,
  scope: Scope,
  id: ResponseId,
): Promise<{ readonly state: ResponseState; readonly lastSequence: number } | null> {
  // The items first: as long as the row is there, they are.
  const output = (await outputsOf(tenants, scope, [id])).get(id) ?? [];
  const found = await findAnyResponse(tenants, scope, id);
  if (found === null || found.lastSequence === null) return null;
  return { state: { ...found.state, output }, lastSequence: found.lastSequence };
}
