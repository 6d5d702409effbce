import { asResponseId, type ResponseId } from '../../protocol/ids.ts';
import type { RequestError } from '../../protocol/request-error.ts';
import { hasEnded } from '../../protocol/response.ts';
import type { Scope } from '../../protocol/scope.ts';
import type { Tenants } from '../../store/database.ts';
import { type BranchItem, findBranch } from '../../store/items.ts';
import type { History } from './check-continuation.ts';
import { quoted } from './sizes.ts';

/** Where a new response stands. */
export interface Place {
  /** Null: it continues none. */
  readonly previousResponseId: ResponseId | null;
  readonly history: History;
  /** Turns before it. */
  readonly depth: number;
}

/** What comes before a response that is to continue `previous`, or why it cannot. Null: nothing comes before it. */
export async function readBranch(
  tenants: Tenants,
  scope: Scope,
  previous: string | null,
): Promise<Place | { readonly errors: readonly RequestError[] }> {
  if (previous === null) return { previousResponseId: null, history: toHistory([]), depth: 0 };
  const id = asResponseId(previous);
  const branch = id === null ? null : await findBranch(tenants, scope, id);
  if (id === null || branch === null || branch.isDeleted) return { errors: [previousNotFound(previous)] };
  if (!hasEnded(branch.status)) {
    const message = `The response "${id}" has not ended yet.`;
    return { errors: [{ code: 'PREVIOUS_RESPONSE_NOT_ENDED', message, path: ['previousResponseId'] }] };
  }
  return { previousResponseId: id, history: toHistory(branch.items), depth: branch.depth + 1 };
}

function toHistory(branch: readonly BranchItem[]): History {
  const abandonedCalls = branch.flatMap(({ item, isOfWhole }) =>
    item.type === 'function_call' && !isOfWhole ? [item.callId] : [],
  );
  return { items: branch.map(({ item }) => item), abandonedCalls: new Set(abandonedCalls) };
}

export function previousNotFound(id: string): RequestError {
  const message = `There is no response ${quoted(id)}.`;
  return { code: 'PREVIOUS_RESPONSE_NOT_FOUND', message, path: ['previousResponseId'] };
}
