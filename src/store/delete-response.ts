import type { ResponseId } from '../protocol/ids.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Database } from './database.ts';

export type DeleteOutcome = 'deleted' | 'not_found' | 'in_flight';

/**
 * Deletes an ended response for every reader. Its rows go at once, unless stored continuations still need its
 * items; then they go with the last of those, and so on up the branch.
 */
export async function deleteResponse(
  { sql }: Database,
  scope: Scope,
  id: ResponseId,
): Promise<DeleteOutcome> {
  return sql.begin(async (tx): Promise<DeleteOutcome> => {
    const [row] = await tx<{ status: string }[]>`
      select status from responses
      where id = ${id} and tenant = ${scope.tenant} and deleted_at is null for update`;
    if (row === undefined) return 'not_found';
    if (row.status === 'in_progress') return 'in_flight';
    await tx`update responses set deleted_at = now() where id = ${id}`;
    await tx`delete from events where response_id = ${id}`;
    for (let next: ResponseId | null = id; next !== null; ) {
      // Locks the row against a continuation that is just being inserted; its foreign key waits for us, or we for it.
      await tx`select 1 from responses where id = ${next} for update`;
      const removed: { parent: ResponseId | null }[] = await tx<{ parent: ResponseId | null }[]>`
        delete from responses r where id = ${next} and deleted_at is not null
          and not exists (select 1 from responses c where c.previous_response_id = r.id)
        returning previous_response_id as parent`;
      next = removed[0]?.parent ?? null;
    }
    return 'deleted';
  });
}
