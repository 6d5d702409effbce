import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import type { ResponseEvent } from '../../protocol/events.ts';
import type { ResponseId } from '../../protocol/ids.ts';
import { type Database, isCancelled, isDatabaseAway } from '../../store/database.ts';
import { commitEvents } from '../../store/event-log.ts';
import type { Logger } from '../../util/logger.ts';
import type { LoopLoad } from '../../util/loop-load.ts';
import { sizeOfEvents } from '../following/events-size.ts';
import type { Hub } from '../following/hub.ts';
import { type Entry, toBatches } from './log-batches.ts';
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
  /** True if there is no other process to be told. */
  readonly isAlone: () => boolean;
  /** Tells other processes how far the logs go now. */
  readonly tellOthers: (logged: readonly Logged[]) => void;
  /** The id under which this process holds its lease now. */
  readonly processId: () => string;
  /** As `EventSink.assure`. */
  readonly assure: () => Promise<void> | null;
  readonly load: LoopLoad;
  /** Called when the database says that this process counts as dead. Its runs are somebody else's. Never throws. */
  readonly onFenced: (processId: string) => Promise<void>;
  /** Called for a run whose events the database will never take. */
  readonly onRefused: (run: Run) => void;
}

/** A run with more than this waiting for its commit reads no further from its model. In characters. */
const MAX_WAITING = 1024 * 1024;

/** Between two tries to commit while the database is away. In milliseconds. */
const RETRY_MS = 250;

/** What goes into one commit, unless a single batch is larger: a statement has its limits in time and size. In characters. */
const MAX_COMMIT = 16 * 1024 * 1024;

/** Between the beginnings of two commits of a process that is busy: each costs as much as dozens of deltas. In milliseconds. */
const PACE_MS = 5;

/** From this share of its time on, the event loop is busy. */
const BUSY = 0.5;

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
  /** The runs that have something for the next commit. */
  private queue: Run[] = [];
  private isWorking = false;
  private readonly closing = new AbortController();

  constructor(options: RecorderOptions) {
    this.options = options;
  }

  append(run: Run, events: readonly ResponseEvent[], ended: boolean, late: boolean): void {
    if (run.lost) return;
    if (run.unsaved.add(events, sizeOfEvents(events), ended)) this.queue.push(run);
    if (!this.isWorking) void this.work(late);
  }

  room({ unsaved }: Run): Promise<void> | null {
    return unsaved.size <= MAX_WAITING ? null : unsaved.untilRoom();
  }

  async committed({ unsaved }: Run): Promise<void> {
    if (unsaved.count > 0) await unsaved.untilSaved();
  }

  assure(): Promise<void> | null {
    return this.options.assure();
  }

  waiting({ unsaved }: Run): number {
    return unsaved.count;
  }

  /** Gives up what could not be committed: the database did not come back in time for the stop of this process. */
  close(): void {
    this.closing.abort();
  }

  private async work(late: boolean): Promise<void> {
    this.isWorking = true;
    for (let isFirst = true; this.queue.length > 0; isFirst = false) {
      if (!late || !isFirst) await immediate(); // what other connections have brought by now goes along
      const began = performance.now();
      const entries = this.take();
      if (entries.length === 0) continue;
      await this.commit(entries);
      const rest = began + PACE_MS - performance.now();
      if (rest > 0 && this.isUnhurried(entries)) await delay(rest);
    }
    this.isWorking = false;
  }

  /** True if the next commit may wait a little, for more to go with it: there is much to do, and nobody waits for a step. */
  private isUnhurried(entries: readonly Entry[]): boolean {
    if (this.options.load.share() < BUSY || entries.some(({ ended }) => ended)) return false;
    return !this.queue.some(({ unsaved }) => unsaved.isUrgent);
  }

  /** What goes into the next commit. Runs that are lost go nowhere. */
  private take(): readonly Entry[] {
    const entries: Entry[] = [];
    let size = 0;
    let count = 0;
    for (const run of this.queue) {
      size += run.unsaved.nextSize;
      if (entries.length > 0 && size > MAX_COMMIT) break;
      count++;
      const entry = { run, ...run.unsaved.take() };
      if (run.lost) this.release(entry);
      else entries.push(entry);
    }
    this.queue = count === this.queue.length ? [] : this.queue.slice(count);
    return entries;
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
    const [first, ...others] = entries;
    if (others.length > 0) {
      for (const entry of entries) await this.commit([entry]);
    } else if (first !== undefined) {
      const { run } = first;
      this.options.logger.error(
        { error, responseId: run.base.id },
        'the database refused the events of a run',
      );
      this.drop(entries);
      this.options.onRefused(run);
    }
  }

  private tell(entries: readonly Entry[]): void {
    const { hub, isAlone, tellOthers } = this.options;
    if (!isAlone()) tellOthers(entries.map(toLogged));
    for (const entry of entries) {
      const { run, events, ended, size } = entry;
      this.release(entry);
      run.recent.add(events, size);
      hub.tell(run.base.id, events, size);
      if (ended) run.told(events.at(-1)?.sequenceNumber ?? 0);
      else if (run.unsaved.count === 0) run.flush();
    }
  }

  private drop(entries: readonly Entry[]): void {
    for (const entry of entries) this.release(entry);
  }

  private release(entry: Entry): void {
    entry.run.unsaved.release(entry, MAX_WAITING);
  }
}

function toLogged({ run, events }: Entry): Logged {
  return { responseId: run.base.id, last: events.at(-1)?.sequenceNumber ?? 0 };
}
