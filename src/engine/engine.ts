import type { ModelClient, ModelInfo } from '../model/model-client.ts';
import type { ResponseEvent } from '../protocol/events.ts';
import type { ItemId, ResponseId } from '../protocol/ids.ts';
import type { FunctionCallItem, Item } from '../protocol/items.ts';
import type { Page, PageRequest, TimeKey } from '../protocol/pages.ts';
import type { RequestError } from '../protocol/request-error.ts';
import type { ResponseBase } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { ResponseFilter, StoredItem } from '../protocol/stored.ts';
import { formatStreamCursor, parseStreamCursor } from '../protocol/stream-cursor.ts';
import type { Database } from '../store/database.ts';
import { deleteResponse } from '../store/delete-response.ts';
import { lastLogged } from '../store/event-log.ts';
import {
  countInputItems,
  findItems,
  type InputItemQuery,
  type InputItemRow,
  inputItemsPage,
  outputsOf,
  pendingCalls,
} from '../store/items.ts';
import { declareAllDead } from '../store/processes.ts';
import { countResponses, responsesPage } from '../store/responses.ts';
import { AppError } from '../util/errors.ts';
import type { Logger } from '../util/logger.ts';
import type { CreateInput } from './create-input.ts';
import { failOrphans } from './fail-orphans.ts';
import { followResponse } from './follow-response.ts';
import { Hub } from './hub.ts';
import { Lease, type LeaseTimes } from './leases.ts';
import { type ResponseView, readResponses, toViews } from './read-responses.ts';
import { createUnstoredSink, EventRecorder } from './record-events.ts';
import { Runs } from './runs.ts';
import { startResponse } from './start-response.ts';
import { waitForEnd } from './wait-for-end.ts';

export interface EngineOptions {
  readonly database: Database;
  readonly model: ModelClient;
  readonly logger: Logger;
  readonly defaultModel: string | null;
  readonly maxRounds: number;
  readonly leaseTimes: LeaseTimes;
  /** How often a follower asks the log about a response that runs elsewhere. In milliseconds. */
  readonly pollMs: number;
  /** True if no other process can be using the database: whoever has a lease there is dead. */
  readonly alone: boolean;
}

export type CreateResult =
  | { readonly response: ResponseView }
  | { readonly response: null; readonly errors: readonly RequestError[] };

export type DeleteResult = 'deleted' | 'not_found' | 'in_flight';

/** A response being followed. */
export interface Following {
  readonly base: ResponseBase;
  /** Batches of events; returning early releases everything at once. */
  readonly batches: AsyncGenerator<readonly ResponseEvent[], void>;
}

/** Everything that the API does, without a word about GraphQL. Every method sees the rows of its scope only. */
export type Engine = ReturnType<typeof createEngine>;

/** More than this many rows are not counted. */
const COUNT_CAP = 10_000;

export function createEngine(options: EngineOptions) {
  const { database, model, logger, pollMs } = options;
  const hub = new Hub();
  const runs = new Runs();
  const stopping = new AbortController();
  let draining = false;
  const lease: Lease = new Lease({
    database,
    logger,
    times: options.leaseTimes,
    onLost: () => runs.loseAll(),
    onSweep: () => failOrphans(database, () => lease.processId),
  });
  const recorder = new EventRecorder({
    database,
    hub,
    logger,
    processId: () => lease.processId,
    onFenced: (id) => lease.lost(id),
  });
  const starting = {
    ...options,
    runs,
    recorder,
    unstored: createUnstoredSink(hub),
    processId: () => lease.processId,
  };
  const following = {
    database,
    hub,
    pollMs,
    runsHere: (id: ResponseId) => runs.get(id) !== undefined,
    stopping: stopping.signal,
  };

  const viewOf = async (scope: Scope, id: ResponseId): Promise<ResponseView> => {
    const view = (await readResponses(database, scope, [id])).get(id);
    if (view === undefined) throw new AppError('NOT_FOUND', `There is no response "${id}".`);
    return view;
  };

  return {
    async start(): Promise<void> {
      if (options.alone) await declareAllDead(database);
      await lease.start();
      await failOrphans(database, () => lease.processId);
    },

    /**
     * Starts a run. Resolves when the response has ended, or with `stream: true` once its run has started. When
     * `signal` aborts before, the caller has gone: the run is cancelled, unless an idempotency key says that the
     * caller may come back for it.
     */
    async create(scope: Scope, input: CreateInput, signal: AbortSignal): Promise<CreateResult> {
      if (draining) throw new AppError('UNAVAILABLE', 'This server is stopping. Try again.');
      const outcome = await startResponse(starting, scope, input);
      switch (outcome.kind) {
        case 'refused':
          return { response: null, errors: outcome.errors };
        case 'joined':
          if (!input.stream) await waitForEnd(following, { scope, responseId: outcome.responseId }, signal);
          return { response: await viewOf(scope, outcome.responseId) };
        case 'started': {
          if (input.stream)
            return { response: { ...outcome.snapshot, output: outcome.snapshot.state.output } };
          const { run } = outcome;
          const leave = () => {
            if (!input.idempotencyKey) run.stop('cancelled');
          };
          signal.addEventListener('abort', leave);
          if (signal.aborted) leave();
          const ended = await run.ended.finally(() => signal.removeEventListener('abort', leave));
          if (ended !== null) return { response: { ...ended, output: ended.state.output } };
          await waitForEnd(following, { scope, responseId: run.base.id }, signal);
          return { response: await viewOf(scope, run.base.id) };
        }
        default:
          return outcome satisfies never;
      }
    },

    remove: (scope: Scope, id: ResponseId): Promise<DeleteResult> => deleteResponse(database, scope, id),

    /**
     * Replays a response after `cursor`, from its start without one, then follows it.
     *
     * @throws AppError NOT_FOUND for an unknown id, INVALID_INPUT for a cursor that this response has not given out.
     */
    async follow(scope: Scope, id: ResponseId, cursor: string | null): Promise<Following> {
      const place = cursor === null ? null : parseStreamCursor(cursor);
      if (cursor !== null && place?.responseId !== id) {
        throw new AppError(
          'INVALID_INPUT',
          `"${cursor.slice(0, 100)}" is not a cursor of the response "${id}".`,
        );
      }
      const view = await viewOf(scope, id);
      const after = place?.sequenceNumber ?? -1;
      if (after > view.sequenceNumber && after > (await lastLogged(database, scope, id))) {
        throw new AppError('INVALID_INPUT', `The response "${id}" has not given out this cursor.`);
      }
      return { base: view.base, batches: followResponse(following, { scope, responseId: id, after }) };
    },

    responses: (scope: Scope, ids: readonly ResponseId[]): Promise<ReadonlyMap<ResponseId, ResponseView>> =>
      readResponses(database, scope, ids),

    async responsesPage(
      scope: Scope,
      query: { readonly filter: ResponseFilter; readonly page: PageRequest<TimeKey> },
    ): Promise<Page<ResponseView>> {
      const { rows, ...page } = await responsesPage(database, scope, query);
      return { rows: await toViews(database, scope, rows), ...page };
    },

    countResponses: (scope: Scope, filter: ResponseFilter): Promise<number | null> =>
      countResponses(database, scope, { filter, cap: COUNT_CAP }),

    outputs: (scope: Scope, ids: readonly ResponseId[]): Promise<ReadonlyMap<ResponseId, readonly Item[]>> =>
      outputsOf(database, scope, ids),

    pendingCalls: (
      scope: Scope,
      ids: readonly ResponseId[],
    ): Promise<ReadonlyMap<ResponseId, readonly FunctionCallItem[]>> => pendingCalls(database, scope, ids),

    items: (scope: Scope, ids: readonly ItemId[]): Promise<ReadonlyMap<ItemId, StoredItem>> =>
      findItems(database, scope, ids),

    inputItemsPage: (scope: Scope, query: InputItemQuery): Promise<Page<InputItemRow>> =>
      inputItemsPage(database, scope, query),

    countInputItems: (scope: Scope, query: Omit<InputItemQuery, 'page'>): Promise<number | null> =>
      countInputItems(database, scope, { ...query, cap: COUNT_CAP }),

    models: (signal: AbortSignal): Promise<readonly ModelInfo[]> => model.listModels(signal),

    defaultModel: options.defaultModel,

    cursorOf: (id: ResponseId, sequenceNumber: number): string =>
      formatStreamCursor({ responseId: id, sequenceNumber }),

    /** Takes no new runs, gives those in flight `graceMs` to end, then ends them as FAILED, and lets followers go. */
    async stop(graceMs: number): Promise<void> {
      draining = true;
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, graceMs);
      await Promise.race([runs.ended(), late]);
      clearTimeout(timer);
      const giveUp = setTimeout(() => recorder.close(), 2000); // the database may be away
      for (const run of runs.all()) run.stop('shutdown');
      await recorder.idle();
      await Promise.race([runs.ended(), recorder.closed]);
      clearTimeout(giveUp);
      stopping.abort();
      await lease.stop().catch((error: unknown) => logger.warn({ error }, 'the lease could not be ended'));
    },
  };
}
