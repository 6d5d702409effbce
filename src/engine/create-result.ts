import type { ResponseId } from '../protocol/ids.ts';
import type { RequestError } from '../protocol/request-error.ts';
import { hasEnded } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Tenants } from '../store/database.ts';
import { markFollowed } from '../store/wishes.ts';
import { AppError } from '../util/errors.ts';
import type { Hub } from './following/hub.ts';
import type { ResponseView } from './read-responses.ts';
import type { CreateInput } from './request/create-input.ts';
import type { Run } from './run/run.ts';
import type { StartOutcome } from './start-response.ts';

export type CreateResult =
  | { readonly response: ResponseView }
  | { readonly response: null; readonly errors: readonly RequestError[] };

export interface ResultDependencies {
  readonly database: Tenants;
  readonly hub: Hub;
  readonly viewOf: (scope: Scope, id: ResponseId) => Promise<ResponseView>;
  /** The view of a response once it has ended, wherever it runs. */
  readonly endOf: (scope: Scope, id: ResponseId, signal: AbortSignal) => Promise<ResponseView>;
}

interface Started {
  readonly scope: Scope;
  readonly input: CreateInput;
  readonly outcome: StartOutcome;
}

/** What the caller of createResponse is given, and when: that depends on its mode. `signal` aborts when it has gone. */
export async function toCreateResult(
  dependencies: ResultDependencies,
  { scope, input, outcome }: Started,
  signal: AbortSignal,
): Promise<CreateResult> {
  switch (outcome.kind) {
    case 'refused':
      return { response: null, errors: outcome.errors };
    case 'joined':
      return { response: await join(dependencies, { scope, input, id: outcome.responseId }, signal) };
    case 'queued':
      return { response: { ...outcome.snapshot, output: outcome.snapshot.state.output } };
    case 'started': {
      const { run, snapshot } = outcome;
      if (input.stream) return { response: { ...snapshot, output: snapshot.state.output } };
      const ended = await attend(dependencies.hub, { run, isKept: Boolean(input.idempotencyKey) }, signal);
      if (ended !== null) return { response: { ...ended, output: ended.state.output } };
      if (!run.base.settings.store) throw new AppError('UNAVAILABLE', 'The run broke and was not stored.');
      return { response: await dependencies.endOf(scope, run.base.id, signal) };
    }
    default:
      return outcome satisfies never;
  }
}

/** Waits for the end of a run that the caller has started. Without an idempotency key nobody can come back for it. */
async function attend(
  hub: Hub,
  { run, isKept }: { readonly run: Run; readonly isKept: boolean },
  signal: AbortSignal,
) {
  const leaveSeat = hub.listen(run.base.id, { told: () => {}, woken: () => {} });
  const leave = () => {
    leaveSeat();
    if (!isKept) run.stop('cancelled');
  };
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  try {
    return await run.ended;
  } finally {
    signal.removeEventListener('abort', leave);
    leaveSeat();
  }
}

/** The same request again: it is given what the first one was, without a second run. */
async function join(
  { database, viewOf, endOf }: ResultDependencies,
  { scope, input, id }: { readonly scope: Scope; readonly input: CreateInput; readonly id: ResponseId },
  signal: AbortSignal,
): Promise<ResponseView> {
  if (!input.stream && !input.background) return endOf(scope, id, signal);
  const view = await viewOf(scope, id);
  // Whoever asks again is about to follow: its time begins anew.
  if (!hasEnded(view.state.status)) await markFollowed(database, scope, id);
  return view;
}
