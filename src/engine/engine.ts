import { setTimeout as wait } from 'node:timers/promises';
import type { ResponseEvent } from '../protocol/events.ts';
import type { ResponseId } from '../protocol/ids.ts';
import type { ModelInfo } from '../protocol/model-info.ts';
import type { RequestError } from '../protocol/request-error.ts';
import { hasEnded, type ResponseBase } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import { formatStreamCursor, parseStreamCursor } from '../protocol/stream-cursor.ts';
import type { Database } from '../store/database.ts';
import { deleteResponse } from '../store/delete-response.ts';
import { lastLogged } from '../store/event-log.ts';
import { declareAllDead } from '../store/processes.ts';
import { AppError } from '../util/errors.ts';
import { followResponse } from './following/follow-response.ts';
import { Hub } from './following/hub.ts';
import { waitForEnd } from './following/wait-for-end.ts';
import { Abandoned } from './owning/abandoned.ts';
import { failOrphans } from './owning/fail-orphans.ts';
import { Lease, type LeaseTimes } from './owning/leases.ts';
import { type ResponseView, readResponses } from './read-responses.ts';
import { createReaders } from './readers.ts';
import type { CreateInput } from './request/create-input.ts';
import { createUnstoredSink, EventRecorder } from './run/record-events.ts';
import type { Run } from './run/run.ts';
import type { RunDependencies } from './run/run-response.ts';
import { Runs } from './run/runs.ts';
import { startResponse } from './start-response.ts';

export interface EngineOptions extends RunDependencies {
  readonly database: Database;
  readonly defaultModel: string | null;
  /** True: MCP servers and images may be at private addresses. */
  readonly allowPrivate: boolean;
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

/** How long a stop waits for starts under way, for the last commits, and for the end of the lease. In milliseconds. */
const START_GRACE_MS = 1000;
const COMMIT_GRACE_MS = 1500;
const LEASE_GRACE_MS = 500;

export function createEngine(options: EngineOptions) {
  const { database, model, logger, pollMs } = options;
  const hub = new Hub();
  const runs = new Runs();
  const stopping = new AbortController();
  const starts = new Set<Promise<unknown>>();
  let draining = false;
  const lease: Lease = new Lease({
    database,
    logger,
    times: options.leaseTimes,
    onLost: () => runs.loseAll(),
    onSweep: async () => {
      await failOrphans(failing);
      await abandoned.retry();
    },
  });
  const failing = { database, logger, processId: () => lease.processId };
  const abandoned = new Abandoned(failing);
  const recorder = new EventRecorder({
    database,
    hub,
    logger,
    processId: () => lease.processId,
    onFenced: (id) => lease.lost(id),
    onRefused: (run) => abandoned.add(run),
  });
  const starting = {
    ...options,
    hasWebSearch: options.webSearch !== null,
    runs,
    recorder,
    unstored: createUnstoredSink(hub),
    processId: () => lease.processId,
    onBroken: (run: Run) => abandoned.add(run),
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

  /** The view of a response once it has ended, wherever it runs. */
  const endOf = async (scope: Scope, id: ResponseId, signal: AbortSignal): Promise<ResponseView> => {
    const before = await viewOf(scope, id);
    if (hasEnded(before.state.status)) return before;
    await waitForEnd(following, { scope, responseId: id, after: before.sequenceNumber }, signal);
    const view = await viewOf(scope, id);
    if (hasEnded(view.state.status)) return view;
    throw new AppError(
      'UNAVAILABLE',
      `This server is stopping; the response "${id}" goes on. Read it elsewhere.`,
    );
  };

  return {
    async start(): Promise<void> {
      if (options.alone) await declareAllDead(database);
      await lease.start();
      try {
        await failOrphans(failing);
      } catch (error) {
        await lease.stop();
        throw error;
      }
    },

    /**
     * Starts a run. Resolves when the response has ended, or with `stream: true` once its run has started. When
     * `signal` aborts before, the caller has gone: the run is cancelled, unless an idempotency key says that the
     * caller may come back for it.
     */
    async create(scope: Scope, input: CreateInput, signal: AbortSignal): Promise<CreateResult> {
      if (draining) throw new AppError('UNAVAILABLE', 'This server is stopping. Try again.');
      signal.throwIfAborted();
      const start = startResponse(starting, scope, input);
      starts.add(start);
      const outcome = await start.finally(() => starts.delete(start));
      switch (outcome.kind) {
        case 'refused':
          return { response: null, errors: outcome.errors };
        case 'joined':
          return { response: await (input.stream ? viewOf : endOf)(scope, outcome.responseId, signal) };
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
          if (!run.base.settings.store)
            throw new AppError('UNAVAILABLE', 'The run broke and was not stored.');
          return { response: await endOf(scope, run.base.id, signal) };
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

    ...createReaders(database),

    models: (signal: AbortSignal): Promise<readonly ModelInfo[]> => model.listModels(signal),

    defaultModel: options.defaultModel,

    cursorOf: (id: ResponseId, sequenceNumber: number): string =>
      formatStreamCursor({ responseId: id, sequenceNumber }),

    /** Takes no new runs, gives those in flight `graceMs` to end, then ends them as FAILED, and lets followers go. */
    async stop(graceMs: number): Promise<void> {
      draining = true;
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, graceMs);
      await Promise.race([Promise.allSettled(starts), pause(START_GRACE_MS)]);
      await Promise.race([runs.ended(), late]);
      clearTimeout(timer);
      for (const run of runs.all()) run.stop('shutdown');
      // The database may be away, or hang: then what is left is ended by the next start.
      await Promise.race([runs.ended(), pause(COMMIT_GRACE_MS)]);
      recorder.close();
      stopping.abort();
      const ended = lease
        .stop()
        .catch((error: unknown) => logger.warn({ error }, 'the lease could not be ended'));
      await Promise.race([ended, pause(LEASE_GRACE_MS)]);
    },
  };
}

/** A pause that keeps no process alive. */
function pause(milliseconds: number): Promise<void> {
  return wait(milliseconds, undefined, { ref: false });
}
