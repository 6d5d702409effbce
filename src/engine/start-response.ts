import { createHash } from 'node:crypto';
import type { ModelClient } from '../model/model-client.ts';
import { asResponseId, newResponseId, type ResponseId } from '../protocol/ids.ts';
import type { Item } from '../protocol/items.ts';
import type { RequestError } from '../protocol/request-error.ts';
import { hasEnded, type Snapshot } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Database } from '../store/database.ts';
import { findIdempotencyKey } from '../store/idempotency.ts';
import { insertResponse } from '../store/insert-response.ts';
import { branchItems } from '../store/items.ts';
import { findResponses } from '../store/responses.ts';
import { AppError } from '../util/errors.ts';
import type { Logger } from '../util/logger.ts';
import { checkContinuation } from './check-continuation.ts';
import { type CheckedRequest, checkRequest } from './check-request.ts';
import type { CreateInput } from './create-input.ts';
import { type EventSink, Run } from './run.ts';
import { runResponse } from './run-response.ts';
import type { Runs } from './runs.ts';

export interface StartDependencies {
  readonly database: Database;
  readonly model: ModelClient;
  readonly logger: Logger;
  readonly runs: Runs;
  readonly recorder: EventSink;
  readonly unstored: EventSink;
  readonly defaultModel: string | null;
  readonly maxRounds: number;
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
  const key = input.store ? (input.idempotencyKey ?? null) : null;
  const idempotency = key === null ? null : { key, inputHash: hashOf(input) };
  if (idempotency !== null) {
    const joined = await join(dependencies.database, scope, idempotency);
    if (joined !== null) return joined;
  }

  const checked = checkRequest(input, dependencies);
  const branch = await readBranch(dependencies.database, scope, input.previousResponseId ?? null);
  const errors = [
    ...('errors' in checked ? checked.errors : []),
    ...('errors' in branch ? branch.errors : checkContinuation(branch.history, checked.input)),
  ];
  if ('errors' in checked || 'errors' in branch || errors.length > 0) return { kind: 'refused', errors };

  const run = createRun(dependencies, scope, { checked, branch });
  const firstEvents = run.begin();
  const owner = dependencies.processId();
  if (checked.settings.store) {
    const response = { base: run.base, depth: branch.depth, input: checked.input, firstEvents, idempotency };
    const outcome = await insertResponse(dependencies.database, scope, {
      processId: owner,
      response,
    });
    switch (outcome) {
      case 'inserted':
        break;
      case 'key_taken': // by a request that came at the same moment
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
    runResponse(run, dependencies).catch((error: unknown) => {
      dependencies.logger.error({ error, responseId: run.base.id }, 'a run could not be ended');
      dependencies.onBroken(run);
    });
  }
  return { kind: 'started', run, snapshot };
}

interface Branch {
  readonly previousResponseId: ResponseId | null;
  readonly history: readonly Item[];
  readonly depth: number;
}

function createRun(
  { recorder, unstored }: StartDependencies,
  { tenant }: Scope,
  { checked, branch }: { readonly checked: CheckedRequest; readonly branch: Branch },
): Run {
  const { settings, input } = checked;
  return new Run({
    tenant,
    base: {
      id: newResponseId(),
      createdAt: Date.now(),
      previousResponseId: branch.previousResponseId,
      settings,
    },
    context: [...branch.history, ...input],
    inputLength: input.length,
    sink: settings.store ? recorder : unstored,
  });
}

async function readBranch(
  database: Database,
  scope: Scope,
  previous: string | null,
): Promise<Branch | { readonly errors: readonly RequestError[] }> {
  if (previous === null) return { previousResponseId: null, history: [], depth: 0 };
  const id = asResponseId(previous);
  const row = id === null ? undefined : (await findResponses(database, scope, [id])).get(id);
  if (id === null || row === undefined) return { errors: [previousNotFound(previous)] };
  if (!hasEnded(row.state.status)) {
    const message = `The response "${id}" has not ended yet.`;
    return { errors: [{ code: 'PREVIOUS_RESPONSE_NOT_ENDED', message, path: ['previousResponseId'] }] };
  }
  return { previousResponseId: id, history: await branchItems(database, scope, id), depth: row.depth + 1 };
}

function previousNotFound(id: string): RequestError {
  const message = `There is no response "${id.slice(0, 100)}".`;
  return { code: 'PREVIOUS_RESPONSE_NOT_FOUND', message, path: ['previousResponseId'] };
}

async function join(
  database: Database,
  scope: Scope,
  { key, inputHash }: { readonly key: string; readonly inputHash: string },
): Promise<StartOutcome | null> {
  if (key.includes('\0') || !key.isWellFormed()) return null; // refused by the check
  const used = await findIdempotencyKey(database, scope, key);
  if (used === null) return null;
  const path = ['idempotencyKey'];
  const mismatch = (message: string): StartOutcome => ({
    kind: 'refused',
    errors: [{ code: 'IDEMPOTENCY_MISMATCH', message, path }],
  });
  if (used.inputHash !== inputHash)
    return mismatch(`The key "${key}" was used for another input. Every field of the input counts.`);
  const found = await findResponses(database, scope, [used.responseId]);
  if (!found.has(used.responseId)) return mismatch(`The response of the key "${key}" has been deleted.`);
  return { kind: 'joined', responseId: used.responseId };
}

/** Equal for equal inputs, whatever the order of their fields; the key itself is left out. */
function hashOf({ idempotencyKey: _, ...input }: CreateInput): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(input)))
    .digest('hex');
}

/** Fields whose value is the caller's own JSON: there a null says something. */
const OWN_JSON: ReadonlySet<string> = new Set(['parameters', 'schema', 'metadata']);

/** A field that is null asks for no more than one that is absent. */
function sorted(value: unknown, isOwnJson = false): unknown {
  if (Array.isArray(value)) return value.map((each) => sorted(each, isOwnJson));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([, each]) => isOwnJson || (each !== undefined && each !== null),
  );
  // As pairs: an object would drop a key like __proto__.
  return entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => [key, sorted(each, isOwnJson || OWN_JSON.has(key))]);
}
