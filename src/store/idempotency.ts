import { and, eq } from 'drizzle-orm';
import type { ResponseId } from '../protocol/ids.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Database } from './database.ts';
import { idempotencyKeys } from './tables.ts';

export interface UsedKey {
  readonly inputHash: string;
  readonly responseId: ResponseId;
}

/** What a key was used for, if it was; the response may have been deleted since. */
export async function findIdempotencyKey(
  { orm }: Database,
  scope: Scope,
  key: string,
): Promise<UsedKey | null> {
  const [row] = await orm
    .select({ inputHash: idempotencyKeys.inputHash, responseId: idempotencyKeys.responseId })
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.tenant, scope.tenant), eq(idempotencyKeys.key, key)));
  return row ?? null;
}
