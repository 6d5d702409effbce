import { setTimeout as delay } from 'node:timers/promises';
import { unusedAnswers } from '../../protocol/approvals.ts';
import type { ResponseEvent } from '../../protocol/events.ts';
import type { ResponseId } from '../../protocol/ids.ts';
import { type Database, isCancelled, isDatabaseAway } from '../../store/database.ts';
import { commitEvents, type Ending, type LogBatch } from '../../store/event-log.ts';
import type { Logger } from '../../util/logger.ts';
import { sizeOfEvents } from '../following/events-size.ts';
import type { Hub } from '../following/hub.ts';
import type { EventSink, Run } from './run.ts';

/** A response, and the number of the last event in its log. */
export interface Logged {
  readonly responseId: ResponseId;
  readonly last: number;
}

export interface RecorderOptions {
  readonly database: Database;
  readonly hub: Hub;
  readonly logger: Logger;
  /** Tells other processes how far the logs go now. */
  readonly tellOthers: (logged: readonly Logged[]) => void;
  /** The id under which this process holds its lease now. */
  readonly processId: () => string;
  /** As `EventSink.assure`. */
  readonly assure: () => Promise<void> | null;
  /** As `EventSink.joins`. */
  readonly joins: () => boolean;
  /** Called when the database says that this process counts as dead. Its runs are somebody else's. Never throws. */
  readonly onFenced: (processId: string) => Promise<void>;
  /** Called for a run whose events the database will never take. */
  readonly onRefused: (run: Run) => void;
}

interface Entry {
  readonly run: Run;
  readonly size: number;
  readonly events: readonly ResponseEvent[];
  readonly ended: boolean;
}

/** A run with more than this waiting for its commit reads no further from its model. In characters. */
const MAX_WAITING = 1024 * 1024;

/** Between two tries to commit while the database is away. In milliseconds. */
const RETRY_MS = 250;

/** What goes into one commit, unless a single batch is larger: a statement has its limits in time and size. In characters. */
const MAX_COMMIT = 16 * 1024 * 1024;

/** Longer than the time-out of a statement: then its connection is silent for good. In milliseconds. */
const ANSWER_MS = 35_000;

/** A commit that is cancelled this often for taking too long will never be taken. */
const MAX_CANCELLED = 2;

/**
 * Commits events, then tells them: nobody is ever ahead of the log. The batches of all runs that gather while
 * one commit is under way are the next commit (group commit). While the database is away everything waits.
 */
export class EventRecorder implements EventSink {
  private readonly options: RecorderOptions;
  private queue: Entry[] = [];
  private readonly waiting = new Map<Run, number>();
  private readonly roomWanted = new Map<Run, PromiseWithResolvers<void>>();
  private readonly commitsWanted = new Map<Run, PromiseWithResolvers<void>>();
  private working: Promise<void> | null = null;
  private readonly closing = new AbortController();

  constructor(options: RecorderOptions) {
    this.options = options;
  }

  append(run: Run, events: readonly ResponseEvent[], ended: boolean): void {
    if (run.lost) return;
    const size = sizeOfEvents(events);
    this.queue.push({ run, size, events, ended });
    this.waiting.set(run, (this.waiting.get(run) ?? 0) + size);
    this.working ??= this.work();
  }

  room(run: Run): Promise<void> | null {
    if ((this.waiting.get(run) ?? 0) <= MAX_WAITING) return null;
    const wanted = this.roomWanted.get(run) ?? Promise.withResolvers<void>();
    this.roomWanted.set(run, wanted);
    return wanted.promise;
  }

  async committed(run: Run): Promise<void> {
    if (!this.waiting.has(run)) return;
    const wanted = this.commitsWanted.get(run) ?? Promise.withResolvers<void>();
    this.commitsWanted.set(run, wanted);
    await wanted.promise;
  }

  assure(): Promise<void> | null {
    return this.options.assure();
  }

  joins(): boolean {
    return this.options.joins();
  }

  isCommitting(run: Run): boolean {
    return this.waiting.has(run);
  }

  /** Gives up what could not be committed: the database did not come back in time for the stop of this process. */
  close(): void {
    this.closing.abort();
  }

  private async work(): Promise<void> {
    while (this.queue.length > 0) {
      const [lost, alive] = partition(this.queue, ({ run }) => run.lost);
      const [entries, later] = take(alive, MAX_COMMIT);
      this.queue = later;
      this.drop(lost);
      if (entries.length > 0) await this.commit(entries);
    }
    this.working = null;
  }

  /** Repeats a commit until its outcome is known: doing it twice changes nothing. */
  private async commit(entries: readonly Entry[]): Promise<void> {
    const batches = toBatches(entries);
    const { database, processId, onFenced, logger } = this.options;
    const owner = processId();
    for (let cancelled = 0; ; ) {
      try {
        if (await database.inTime(commitEvents(database, owner, batches), ANSWER_MS))
          return this.tell(entries);
        break;
      } catch (error) {
        if (isCancelled(error)) cancelled++;
        if (!isDatabaseAway(error) || cancelled === MAX_CANCELLED) return this.isolate(entries, error);
        logger.warn({ error }, 'the database is away; streams wait');
        if (this.closing.signal.aborted) return this.drop(entries);
        await delay(RETRY_MS, undefined, { signal: this.closing.signal }).catch(() => {});
      }
    }
    this.drop(entries);
    await onFenced(owner);
  }

  /** One run's events that the database will never take must not hold up the others. */
  private async isolate(entries: readonly Entry[], error: unknown): Promise<void> {
    const byRun = [...Map.groupBy(entries, ({ run }) => run)];
    if (byRun.length > 1) {
      for (const [, own] of byRun) await this.commit(own);
      return;
    }
    for (const [run] of byRun) {
      this.options.logger.error(
        { error, responseId: run.base.id },
        'the database refused the events of a run',
      );
      this.drop(entries);
      this.options.onRefused(run);
    }
  }

  private tell(entries: readonly Entry[]): void {
    const { hub, tellOthers } = this.options;
    tellOthers(
      entries.map(({ run, events }) => ({
        responseId: run.base.id,
        last: events.at(-1)?.sequenceNumber ?? 0,
      })),
    );
    for (const { run, size, events, ended } of entries) {
      this.release(run, size);
      hub.tell(run.base.id, events);
      if (ended) run.told(events.at(-1)?.sequenceNumber ?? 0);
      else if (!this.waiting.has(run)) run.flush();
    }
  }

  private drop(entries: readonly Entry[]): void {
    for (const { run, size } of entries) this.release(run, size);
  }

  private release(run: Run, size: number): void {
    const left = (this.waiting.get(run) ?? 0) - size;
    if (left > 0) this.waiting.set(run, left);
    else {
      this.waiting.delete(run);
      this.commitsWanted.get(run)?.resolve();
      this.commitsWanted.delete(run);
    }
    if (left > MAX_WAITING) return;
    this.roomWanted.get(run)?.resolve();
    this.roomWanted.delete(run);
  }
}

/** One row for each run, whatever number of batches it handed over. */
function toBatches(entries: readonly Entry[]): { batches: readonly LogBatch[]; endings: readonly Ending[] } {
  const byRun = Map.groupBy(entries, ({ run }) => run);
  const batches = [...byRun].map(([run, own]) => ({
    tenant: run.tenant,
    responseId: run.base.id,
    events: own.flatMap(({ events }) => events),
  }));
  const endings = entries.flatMap(({ run, events, ended }) =>
    ended
      ? [
          {
            tenant: run.tenant,
            responseId: run.base.id,
            state: run.state,
            lastSequence: events.at(-1)?.sequenceNumber ?? 0,
            firstPosition: run.inputLength,
            unusedAnswers: unusedAnswers(run.ownInput, run.state),
          },
        ]
      : [],
  );
  return { batches, endings };
}

function partition<Value>(
  values: readonly Value[],
  test: (value: Value) => boolean,
): readonly [Value[], Value[]] {
  const { yes = [], no = [] } = Object.groupBy(values, (value) => (test(value) ? 'yes' : 'no'));
  return [yes, no];
}

/** The first entries, as many as make up this size; at least one. */
function take(entries: readonly Entry[], limit: number): readonly [readonly Entry[], Entry[]] {
  let size = 0;
  const end = entries.findIndex(({ size: own }, index) => {
    size += own;
    return index > 0 && size > limit;
  });
  return end === -1 ? [entries, []] : [entries.slice(0, end), entries.slice(end)];
}
