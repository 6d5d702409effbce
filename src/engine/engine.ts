import { setTimeout as wait } from 'node:timers/promises';
import type { Caller } from '../protocol/caller.ts';
import type { ResponseId } from '../protocol/ids.ts';
import type { ModelInfo } from '../protocol/model-info.ts';
import { hasEnded } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import { formatStreamCursor } from '../protocol/stream-cursor.ts';
import type { McpSecrets } from '../protocol/tools.ts';
import { purgeDeleted } from '../store/delete-response.ts';
import { declareAllDead } from '../store/processes.ts';
import { AppError } from '../util/errors.ts';
import { LoopLoad } from '../util/loop-load.ts';
import { type CancelResult, cancelResponse, removeResponse } from './cancel-response.ts';
import { type CreateResult, toCreateResult } from './create-result.ts';
import type { EngineOptions } from './engine-options.ts';
import { Elsewhere } from './following/elsewhere.ts';
import { createFollowing } from './following/following.ts';
import { Hub } from './following/hub.ts';
import { trimLogs } from './following/trim-logs.ts';
import { UnstoredLogs } from './following/unstored-logs.ts';
import { Abandoned } from './owning/abandoned.ts';
import { Audience } from './owning/audience.ts';
import { Background } from './owning/background.ts';
import { endOrphans } from './owning/end-orphans.ts';
import { Lease } from './owning/leases.ts';
import { Wishes } from './owning/wishes.ts';
import type { ResponseView } from './read-responses.ts';
import { createReaders } from './readers.ts';
import type { CreateInput } from './request/create-input.ts';
import { joinsUnderLoad, neverJoins } from './run/joining.ts';
import { Quotas } from './run/quotas.ts';
import { EventRecorder } from './run/record-events.ts';
import type { Run } from './run/run.ts';
import { Runs } from './run/runs.ts';
import { startResponse } from './start-response.ts';

/** Everything that the API does, without a word about GraphQL. Every method sees the rows of its scope only. */
export type Engine = ReturnType<typeof createEngine>;

/** How long a stop waits for starts under way, for the last commits, and for the end of the lease. In milliseconds. */
const START_GRACE_MS = 1000;
const COMMIT_GRACE_MS = 1500;
const LEASE_GRACE_MS = 500;

export function createEngine(options: EngineOptions) {
  const { database, model, logger, pollMs, wakeUps } = options;
  const hub = new Hub();
  const runs = new Runs(options.maxRuns);
  const stopping = new AbortController();
  const starts = new Set<Promise<unknown>>();
  const load = new LoopLoad(20);
  // A pause of the garbage collector is no reason to hold anything back.
  const joining = options.joinsDeltas ? joinsUnderLoad(new LoopLoad(100)) : neverJoins;
  let draining = false;
  const processId = () => lease.processId;
  const runsHere = (id: ResponseId) => runs.get(id) !== undefined;
  const shared = { database, logger, hub, runs, processId, pollMs };

  const lease: Lease = new Lease({
    database,
    logger,
    times: options.leaseTimes,
    onLost: () => runs.loseAll(),
    onSweep: async () => {
      await endOrphans(ending);
      await abandoned.retry();
      background.wake();
      await trimLogs(database, options.retentionMinutes);
      await purgeDeleted(database);
    },
  });
  const ending = { ...shared, wakeUps };
  const abandoned = new Abandoned(ending);
  const onBroken = (run: Run) => abandoned.add(run);
  const recorder = new EventRecorder({
    ...shared,
    isAlone: () => lease.isAlone,
    tellOthers: (logged) => wakeUps.send(logged.map((each) => ({ type: 'logged', ...each }))),
    assure: () => lease.assure(),
    load,
    onFenced: (id) => lease.lost(id),
    onRefused: onBroken,
  });
  const unstored = new UnstoredLogs(hub);
  const elsewhere = new Elsewhere({ ...shared, runsHere });
  const following = createFollowing({ ...shared, unstored, runOf: (id) => runs.get(id) });
  const background = new Background({
    ...shared,
    recorder,
    joining,
    wakeUps,
    limit: options.maxBackgroundRuns,
    run: options,
    onBroken,
  });
  const wishes = new Wishes({ ...shared, endOrphans: () => endOrphans(ending) });
  const audience = new Audience({ ...shared, graceMs: options.detachGraceMs });

  const viewOf = async (scope: Scope, id: ResponseId): Promise<ResponseView> => {
    const view = (await readers.responses(scope, [id])).get(id);
    if (view === undefined) throw new AppError('NOT_FOUND', `There is no response "${id}".`);
    return view;
  };
  const readers = createReaders(database, unstored);

  /** The view of a response once it has ended, wherever it runs. */
  const endOf = async (scope: Scope, id: ResponseId, signal: AbortSignal): Promise<ResponseView> => {
    const before = await viewOf(scope, id);
    if (hasEnded(before.state.status)) return before;
    const either = AbortSignal.any([signal, stopping.signal]);
    const end = await following.waitForEnd(scope, { id, after: before.sequenceNumber }, either);
    signal.throwIfAborted();
    // From the event, not from the row: deleted meanwhile, it is told all the same.
    if (end !== null) {
      const { state, sequenceNumber } = end;
      return { base: before.base, state, output: state.output, sequenceNumber };
    }
    throw new AppError(
      'UNAVAILABLE',
      `This server is stopping; the response "${id}" goes on. Read it elsewhere.`,
    );
  };

  const creating = {
    ...options,
    ...shared,
    hasWebSearch: options.webSearch !== null,
    recorder,
    joining,
    unstored,
    quotas: new Quotas(options.perCaller),
    queue: (id: ResponseId, secrets: McpSecrets) => background.add(id, secrets),
    onBroken,
    viewOf,
    endOf,
  };
  const cancelling = { database, runs, wakeUps, endOf, endOrphans: () => endOrphans(ending) };

  return {
    async start(): Promise<void> {
      if (options.alone) await declareAllDead(database);
      await lease.start();
      try {
        await endOrphans(ending);
      } catch (error) {
        await lease.stop();
        throw error;
      }
      background.wake();
      for (const part of [elsewhere, wishes, audience]) part.start();
      wakeUps.listen({
        onWakeUps: (all) => {
          for (const wakeUp of all) {
            if (wakeUp.type === 'logged') {
              if (!runsHere(wakeUp.responseId)) hub.wake(wakeUp.responseId, wakeUp.last);
            } else if (wakeUp.type === 'work') background.wake();
            else void wishes.look();
          }
        },
        onGap: () => {
          elsewhere.look();
          void wishes.look();
          background.wake();
        },
      });
    },

    /**
     * Starts a run. Resolves when the response has ended; with `stream: true` once its run has started, with
     * `background: true` once it is queued. When `signal` aborts before, the caller has gone: the run is cancelled,
     * or, with an idempotency key, given the time in which the caller may come back for it.
     */
    async create(caller: Caller, input: CreateInput, signal: AbortSignal): Promise<CreateResult> {
      if (draining) throw new AppError('UNAVAILABLE', 'This server is stopping. Try again.');
      signal.throwIfAborted();
      const start = startResponse(creating, caller, input);
      starts.add(start);
      const outcome = await start.finally(() => starts.delete(start));
      return toCreateResult(creating, { scope: caller.scope, input, outcome }, signal);
    },

    /** As `cancelResponse`: the wish stands even if `signal` ends the waiting. */
    cancel: (scope: Scope, id: ResponseId, signal: AbortSignal): Promise<CancelResult> =>
      cancelResponse(cancelling, { scope, id }, signal),

    /** Deletes a response, one in flight after it was cancelled; false if there is none. */
    remove: (scope: Scope, id: ResponseId): Promise<boolean> =>
      removeResponse(cancelling, { scope, id }, stopping.signal),

    follow: following.follow,

    ...readers,

    models: (signal: AbortSignal): Promise<readonly ModelInfo[]> => model.listModels(signal),

    defaultModel: options.defaultModel,

    cursorOf: (id: ResponseId, sequenceNumber: number): string =>
      formatStreamCursor({ responseId: id, sequenceNumber }),

    /**
     * Takes no new runs, hands back those in the background, gives the others `graceMs` to end, or until `hurry`
     * aborts, then ends them as FAILED. Followers stay: whoever serves them sends them elsewhere.
     */
    async stop(graceMs: number, hurry?: AbortSignal): Promise<void> {
      draining = true;
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, hurry?.aborted ? 0 : graceMs);
      hurry?.addEventListener('abort', () => resolve());
      await Promise.race([Promise.allSettled(starts), pause(START_GRACE_MS)]);
      const left = runs.all().length;
      if (left > 0) logger.info({ runs: left, graceMs }, 'runs may end; another Ctrl-C cuts them short');
      const handedBack = background.stop(late);
      await Promise.race([Promise.all([handedBack, runs.ended()]), late]);
      clearTimeout(timer);
      audience.stop();
      for (const run of runs.all()) if (!run.base.settings.background) run.stop('shutdown');
      // The database may be away, or hang: then what is left is ended by the next start.
      await Promise.race([Promise.all([handedBack, runs.ended()]), pause(COMMIT_GRACE_MS)]);
      recorder.close();
      stopping.abort();
      elsewhere.stop();
      wishes.stop();
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
