import type { ResponseId } from '../protocol/ids.ts';
import type { RequestError } from '../protocol/request-error.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Database } from '../store/database.ts';
import { deleteResponse } from '../store/delete-response.ts';
import type { WakeUps } from '../store/wake-ups.ts';
import { wishCancelled } from '../store/wishes.ts';
import { AppError } from '../util/errors.ts';
import type { ResponseView } from './read-responses.ts';
import type { Run } from './run/run.ts';
import type { Runs } from './run/runs.ts';

export interface CancelDependencies {
  readonly database: Database;
  readonly runs: Runs;
  readonly wakeUps: WakeUps;
  /** Ends what nobody runs, such as a response in the queue that is not wanted any more. */
  readonly endOrphans: () => Promise<void>;
  /** The view of a response once it has ended, wherever it runs. */
  readonly endOf: (scope: Scope, id: ResponseId, signal: AbortSignal) => Promise<ResponseView>;
}

/** `response` is as it ended; null if there is none. */
export interface CancelResult {
  readonly response: ResponseView | null;
  readonly errors: readonly RequestError[];
}

/**
 * Cancels a response wherever it runs, and resolves when it has ended. The wish is committed first: whoever runs the
 * response finds it there, and so does whoever ends what a dead process has left.
 *
 * @throws the reason of `signal`, or UNAVAILABLE, if that ends the waiting; the wish stands all the same.
 */
export async function cancelResponse(
  dependencies: CancelDependencies,
  { scope, id }: { readonly scope: Scope; readonly id: ResponseId },
  signal: AbortSignal,
): Promise<CancelResult> {
  const unstored = unstoredRun(dependencies.runs, scope, id);
  if (unstored !== null) return cancelUnstored(unstored);
  if (!(await wish(dependencies, scope, id))) return { response: null, errors: [notFound(id)] };
  const response = await endUnlessGone(dependencies, { scope, id }, signal);
  if (response === null) return { response, errors: [notFound(id)] };
  const isCancelled = response.state.status === 'cancelled';
  return { response, errors: isCancelled ? [] : [alreadyEnded(id)] };
}

/**
 * Deletes a response for every reader; one in flight is cancelled first, so that whoever waits for it is told.
 *
 * @returns false if there is none.
 */
export async function removeResponse(
  dependencies: CancelDependencies,
  { scope, id }: { readonly scope: Scope; readonly id: ResponseId },
  signal: AbortSignal,
): Promise<boolean> {
  const unstored = unstoredRun(dependencies.runs, scope, id);
  if (unstored !== null) {
    await cancelUnstored(unstored);
    return true;
  }
  for (let isHeard = false; ; isHeard = true) {
    const outcome = await deleteResponse(dependencies.database, scope, { id, isHeard });
    if (outcome !== 'in_flight') return outcome === 'deleted';
    if (await wish(dependencies, scope, id)) await endUnlessGone(dependencies, { scope, id }, signal);
  }
}

/** How a response ended; null if somebody has deleted it before that could be seen. */
async function endUnlessGone(
  { endOf }: CancelDependencies,
  { scope, id }: { readonly scope: Scope; readonly id: ResponseId },
  signal: AbortSignal,
): Promise<ResponseView | null> {
  try {
    return await endOf(scope, id, signal);
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

/** Has a response in flight cancelled; false if there is no such response. */
async function wish(
  { database, runs, wakeUps, endOrphans }: CancelDependencies,
  scope: Scope,
  id: ResponseId,
): Promise<boolean> {
  const isInFlight = await wishCancelled(database, scope, id);
  if (!isInFlight) return isInFlight !== null;
  const run = runs.get(id);
  if (run !== undefined) run.stop('cancelled');
  else {
    wakeUps.send([{ type: 'cancel', responseId: id }]);
    await endOrphans();
  }
  return true;
}

function unstoredRun(runs: Runs, { tenant }: Scope, id: ResponseId): Run | null {
  const run = runs.get(id);
  return run !== undefined && !run.base.settings.store && run.tenant === tenant ? run : null;
}

async function cancelUnstored(run: Run): Promise<CancelResult> {
  run.stop('cancelled');
  const ended = await run.ended;
  if (ended === null) return { response: null, errors: [notFound(run.base.id)] };
  const isCancelled = ended.state.status === 'cancelled';
  return {
    response: { ...ended, output: ended.state.output },
    errors: isCancelled ? [] : [alreadyEnded(run.base.id)],
  };
}

function notFound(id: ResponseId): RequestError {
  return { code: 'RESPONSE_NOT_FOUND', message: `There is no response "${id}".`, path: ['id'] };
}

function alreadyEnded(id: ResponseId): RequestError {
  return { code: 'ALREADY_ENDED', message: `The response "${id}" has ended already.`, path: ['id'] };
}
