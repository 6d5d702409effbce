import { asResponseId, newResponseId, type ResponseId } from '../protocol/ids.ts';
import type { RequestError } from '../protocol/request-error.ts';
import { hasEnded, type Snapshot } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Database } from '../store/database.ts';
import { insertResponse } from '../store/insert-response.ts';
import { type BranchItem, branchItems } from '../store/items.ts';
import { findResponses } from '../store/responses.ts';
import { AppError } from '../util/errors.ts';
import { answeredIn, checkApprovals } from './request/check-approvals.ts';
import { checkContinuation, type History } from './request/check-continuation.ts';
import { type CheckedRequest, checkRequest } from './request/check-request.ts';
import type { ToolRules } from './request/check-tools.ts';
import type { CreateInput } from './request/create-input.ts';
import { findJoined, type Idempotency, idempotencyOf } from './request/idempotency.ts';
import { numberSources } from './request/to-tool-items.ts';
import { type EventSink, Run } from './run/run.ts';
import { type RunDependencies, runResponse } from './run/run-response.ts';
import type { Runs } from './run/runs.ts';

export interface StartDependencies extends RunDependencies, ToolRules {
  readonly database: Database;
  readonly runs: Runs;
  readonly recorder: EventSink;
  readonly unstored: EventSink;
  readonly defaultModel: string | null;
  readonly processId: () => string;
  /** Called for a run in which something broke that is no outcome of a run. */
  readonly onBroken: (run: Run) => void;
}

/**
 * - `started`: a new run, in flight here
 * - `joined`: an earlier request with the same idempotency key and input has started this response
 * - `refused`: nothing was started
 */
export type StartOutcome =
  | { readonly kind: 'started'; readonly run: Run; readonly snapshot: Snapshot }
  | { readonly kind: 'joined'; readonly responseId: ResponseId }
  | { readonly kind: 'refused'; readonly errors: readonly RequestError[] };

/** Checks a request, commits its beginning and starts its run. Resolves once ResponseInProgress is committed. */
export async function startResponse(
  dependencies: StartDependencies,
  scope: Scope,
  input: CreateInput,
): Promise<StartOutcome> {
  const { database } = dependencies;
  const idempotency = idempotencyOf(input);
  const joined = await join(database, scope, idempotency);
  if (joined !== null) return joined;

  const checked = checkRequest(input, dependencies);
  const branch = await readBranch(database, scope, input.previousResponseId ?? null);
  const errors = [
    ...('errors' in checked ? checked.errors : []),
    ...('errors' in branch
      ? branch.errors
      : [
          ...checkContinuation(branch.history, checked.input),
          ...(await checkApprovals(database, scope, {
            tools: input.tools,
            history: branch.history.items,
            input: checked.input,
          })),
        ]),
  ];
  if ('errors' in checked || 'errors' in branch || errors.length > 0) {
    // Answered by a request with the same key, which came at the same moment.
    const isTaken = errors.some(({ code }) => code === 'APPROVAL_ALREADY_ANSWERED');
    return (isTaken ? await join(database, scope, idempotency) : null) ?? { kind: 'refused', errors };
  }

  const ownInput = numberSources(branch.history.items, checked.input);
  const run = createRun(dependencies, scope, { settings: checked.settings, input: ownInput, branch });
  const firstEvents = run.begin();
  const owner = dependencies.processId();
  if (checked.settings.store) {
    const outcome = await insertResponse(database, scope, {
      processId: owner,
      response: {
        base: run.base,
        depth: branch.depth,
        input: ownInput,
        firstEvents,
        answers: answeredIn(checked.input),
        idempotency,
      },
    });
    switch (outcome) {
      case 'inserted':
        break;
      case 'key_taken': // by a request that came at the same moment
      case 'approval_taken': // likewise; the check says which
        return startResponse(dependencies, scope, input);
      case 'parent_gone':
        return { kind: 'refused', errors: [previousNotFound(run.base.previousResponseId ?? '')] };
      case 'fenced':
        throw new AppError('UNAVAILABLE', 'This server has lost its lease on the database. Try again.');
      default:
        outcome satisfies never;
    }
  }
  const snapshot = { base: run.base, state: run.state, sequenceNumber: firstEvents.length - 1 };
  dependencies.runs.add(run);
  if (owner !== dependencies.processId())
    run.lose(); // declared dead meanwhile; whoever did that ends the run
  else {
    const work = runResponse(run, checked.secrets, dependencies).catch((error: unknown) => {
      dependencies.logger.error({ error, responseId: run.base.id }, 'a run could not be ended');
      dependencies.onBroken(run);
    });
    dependencies.runs.finish(work);
  }
  return { kind: 'started', run, snapshot };
}

interface Branch {
  readonly previousResponseId: ResponseId | null;
  readonly history: History;
  readonly depth: number;
}

function createRun(
  { recorder, unstored }: StartDependencies,
  { tenant }: Scope,
  { settings, input, branch }: Pick<CheckedRequest, 'settings' | 'input'> & { readonly branch: Branch },
): Run {
  return new Run({
    tenant,
    base: {
      id: newResponseId(),
      createdAt: Date.now(),
      previousResponseId: branch.previousResponseId,
      settings,
    },
    context: [...branch.history.items, ...input],
    inputLength: input.length,
    sink: settings.store ? recorder : unstored,
  });
}

async function readBranch(
  database: Database,
  scope: Scope,
  previous: string | null,
): Promise<Branch | { readonly errors: readonly RequestError[] }> {
  if (previous === null) return { previousResponseId: null, history: toHistory([]), depth: 0 };
  const id = asResponseId(previous);
  const row = id === null ? undefined : (await findResponses(database, scope, [id])).get(id);
  if (id === null || row === undefined) return { errors: [previousNotFound(previous)] };
  if (!hasEnded(row.state.status)) {
    const message = `The response "${id}" has not ended yet.`;
    return { errors: [{ code: 'PREVIOUS_RESPONSE_NOT_ENDED', message, path: ['previousResponseId'] }] };
  }
  const history = toHistory(await branchItems(database, scope, id));
  return { previousResponseId: id, history, depth: row.depth + 1 };
}

function toHistory(branch: readonly BranchItem[]): History {
  const abandonedCalls = branch.flatMap(({ item, isOfWhole }) =>
    item.type === 'function_call' && !isOfWhole ? [item.callId] : [],
  );
  return { items: branch.map(({ item }) => item), abandonedCalls: new Set(abandonedCalls) };
}

function previousNotFound(id: string): RequestError {
  const message = `There is no response "${id.slice(0, 100)}".`;
  return { code: 'PREVIOUS_RESPONSE_NOT_FOUND', message, path: ['previousResponseId'] };
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
