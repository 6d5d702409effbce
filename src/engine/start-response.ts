import { applyEvent } from '../protocol/apply-event.ts';
import type { Caller } from '../protocol/caller.ts';
import { newResponseId, type ResponseId } from '../protocol/ids.ts';
import { invalidInput, type RequestError } from '../protocol/request-error.ts';
import { INITIAL_STATE, type Snapshot } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { McpSecrets } from '../protocol/tools.ts';
import { findApprovalRequests } from '../store/approvals.ts';
import type { Database } from '../store/database.ts';
import { insertResponse } from '../store/insert-response.ts';
import { AppError } from '../util/errors.ts';
import { Ahead, asksAhead } from './asking-ahead.ts';
import type { UnstoredLogs } from './following/unstored-logs.ts';
import { answeredBy, answeredIn, checkApprovals } from './request/check-approvals.ts';
import { checkContinuation } from './request/check-continuation.ts';
import { checkRequest, readRequest } from './request/check-request.ts';
import type { ToolRules } from './request/check-tools.ts';
import type { CreateInput } from './request/create-input.ts';
import { findJoined, type Idempotency, idempotencyOf } from './request/idempotency.ts';
import { findReferenced } from './request/item-references.ts';
import { previousNotFound, readBranch } from './request/read-branch.ts';
import { MAX_ERRORS } from './request/sizes.ts';
import { numberSources } from './request/to-tool-items.ts';
import type { Joining } from './run/joining.ts';
import { firstEvents } from './run/number-events.ts';
import type { Quotas } from './run/quotas.ts';
import { type EventSink, Run } from './run/run.ts';
import { type RunDependencies, runResponse } from './run/run-response.ts';
import type { Runs } from './run/runs.ts';

export interface StartDependencies extends RunDependencies, ToolRules {
  readonly database: Database;
  readonly runs: Runs;
  readonly quotas: Quotas;
  readonly recorder: EventSink;
  readonly unstored: UnstoredLogs;
  readonly joining: Joining;
  readonly defaultModel: string | null;
  readonly processId: () => string;
  /** Called with a response that waits in the background, and the secrets of its MCP servers. */
  readonly queue: (id: ResponseId, secrets: McpSecrets) => void;
  /** Called for a run in which something broke that is no outcome of a run. */
  readonly onBroken: (run: Run) => void;
}

/**
 * - `started`: a new run, in flight here
 * - `queued`: a new response, which waits in the background for a process to run it
 * - `joined`: an earlier request with the same idempotency key and input has started this response
 * - `refused`: nothing was started
 */
export type StartOutcome =
  | { readonly kind: 'started'; readonly run: Run; readonly snapshot: Snapshot }
  | { readonly kind: 'queued'; readonly snapshot: Snapshot }
  | { readonly kind: 'joined'; readonly responseId: ResponseId }
  | { readonly kind: 'refused'; readonly errors: readonly RequestError[] };

/** A run takes seconds to minutes, and there are many. */
const RETRY_AFTER_SECONDS = 5;

/** Checks a request, commits its beginning and starts or queues its run. Resolves once that is committed. */
export async function startResponse(
  dependencies: StartDependencies,
  caller: Caller,
  input: CreateInput,
): Promise<StartOutcome> {
  const { database } = dependencies;
  const { scope } = caller;
  const request = readRequest(input);
  // What the rules refuse they have always refused: there is nothing to join, and it may be too deep to be hashed.
  const idempotency = request.parsed.success ? idempotencyOf(input) : null;
  // At the same time: none of these needs another.
  const [joined, referenced, branch, approvals] = await Promise.all([
    join(database, scope, idempotency),
    findReferenced(database, scope, input.input),
    readBranch(database, scope, input.previousResponseId ?? null),
    findApprovalRequests(database, scope, answeredBy(input.input)),
  ]);
  if (joined !== null) return joined;

  const checked = checkRequest(request, { ...dependencies, referenced });
  const { tools } = input;
  const errors = [
    ...('errors' in checked ? checked.errors : []),
    ...('errors' in branch
      ? branch.errors
      : [
          ...checkContinuation(branch.history, checked),
          ...checkApprovals({ ...checked, tools, history: branch.history.items }, approvals),
        ]),
  ];
  if ('errors' in checked || 'errors' in branch || errors.length > 0) {
    // Answered by a request with the same key, which came at the same moment.
    const isTaken = errors.some(({ code }) => code === 'APPROVAL_ALREADY_ANSWERED');
    return (isTaken ? await join(database, scope, idempotency) : null) ?? refused(errors);
  }

  const { settings, secrets } = checked;
  const admission = dependencies.quotas.admit(caller.key, { inBackground: settings.background });
  if ('retryAfterSeconds' in admission) return { kind: 'refused', errors: [admission] };
  using quota = admission;
  using place = settings.background ? null : dependencies.runs.reserve();
  if (!settings.background && place === null) return { kind: 'refused', errors: [tooManyRuns()] };

  const ownInput = numberSources(branch.history.items, checked.input);
  const { previousResponseId } = branch;
  const base = { id: newResponseId(), createdAt: Date.now(), previousResponseId, settings };
  const events = firstEvents(settings);
  const state = events.reduce(applyEvent, INITIAL_STATE);
  const snapshot = { base, state, sequenceNumber: events.length - 1 };
  const begin = ({ isUnconfirmed }: { readonly isUnconfirmed: boolean }): Run => {
    const run = new Run({
      tenant: scope.tenant,
      base,
      context: [...branch.history.items, ...ownInput],
      inputLength: ownInput.length,
      state,
      nextSequence: events.length,
      firstEvents: events,
      isTakenOver: false,
      isUnconfirmed,
      sink: settings.store ? dependencies.recorder : dependencies.unstored,
      joining: dependencies.joining,
    });
    if (!settings.store) dependencies.unstored.begin(run, events);
    return run;
  };
  const owner = dependencies.processId();
  using ahead = asksAhead(base, idempotency) ? new Ahead(begin({ isUnconfirmed: true })) : null;
  if (ahead !== null) execute(dependencies, ahead.run, secrets);
  if (settings.store) {
    const outcome = await insertResponse(database, scope, {
      processId: owner,
      // What needs secrets waits for the process that has them.
      runBy: settings.background && secrets.size === 0 ? null : owner,
      response: {
        base,
        depth: branch.depth,
        input: ownInput,
        firstEvents: events,
        answers: answeredIn(checked.input),
        idempotency,
      },
    });
    switch (outcome) {
      case 'inserted':
        break;
      case 'key_taken': // by a request that came at the same moment
      case 'approval_taken': // likewise; the check says which
        return startResponse(dependencies, caller, input);
      case 'parent_gone':
        return { kind: 'refused', errors: [previousNotFound(previousResponseId ?? '')] };
      case 'fenced':
        throw new AppError('UNAVAILABLE', 'This server has lost its lease on the database. Try again.');
      default:
        outcome satisfies never;
    }
  }
  quota.use();
  if (settings.background) {
    dependencies.queue(base.id, secrets);
    return { kind: 'queued', snapshot };
  }
  const run = ahead?.run ?? begin({ isUnconfirmed: false });
  dependencies.runs.add(run);
  quota.keepUntil(run.ended);
  // Declared dead meanwhile: whoever did that ends the run.
  if (settings.store && owner !== dependencies.processId()) run.lose();
  else if (ahead !== null) ahead.confirm();
  else execute(dependencies, run, secrets);
  return { kind: 'started', run, snapshot };
}

function execute(dependencies: StartDependencies, run: Run, secrets: McpSecrets): void {
  const work = runResponse(run, secrets, dependencies).catch((error: unknown) => {
    dependencies.logger.error({ error, responseId: run.base.id }, 'a run could not be ended');
    dependencies.onBroken(run);
  });
  dependencies.runs.finish(work);
}

async function join(
  database: Database,
  scope: Scope,
  idempotency: Idempotency | null,
): Promise<StartOutcome | null> {
  const found = idempotency && (await findJoined(database, scope, idempotency));
  if (found === null) return null;
  return 'error' in found ? { kind: 'refused', errors: [found.error] } : { kind: 'joined', ...found };
}

/** All that is wrong, up to a number that still helps: a request may hold thousands of things that are. */
function refused(errors: readonly RequestError[]): StartOutcome {
  const more = errors.length - MAX_ERRORS;
  if (more <= 0) return { kind: 'refused', errors };
  const rest = invalidInput(['input'], `There are ${more} errors more.`);
  return { kind: 'refused', errors: [...errors.slice(0, MAX_ERRORS), rest] };
}

function tooManyRuns(): RequestError {
  const message = 'This server runs as many responses as it may. Try again, or ask for it in the background.';
  return { code: 'LIMIT_EXCEEDED', message, path: null, retryAfterSeconds: RETRY_AFTER_SECONDS };
}
