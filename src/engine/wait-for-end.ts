import type { ResponseId } from '../protocol/ids.ts';
import type { Scope } from '../protocol/scope.ts';
import { type Following, followResponse } from './follow-response.ts';

/** Resolves when a response has ended, wherever it runs; earlier if `signal` aborts. */
export async function waitForEnd(
  following: Following,
  { scope, responseId }: { readonly scope: Scope; readonly responseId: ResponseId },
  signal: AbortSignal,
): Promise<void> {
  const batches = followResponse(following, { scope, responseId, after: -1 });
  const leave = () => void batches.return();
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  try {
    for await (const _ of batches); // its last batch holds the terminal event
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
