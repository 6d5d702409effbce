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
  private queue = new Map<Run, Entry>();
  private readonly uncommitted = new Map<Run, { size: number; events: number }>();
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
    const entry = this.queue.get(run) ?? { run, events: [], size: 0, ended };
    this.queue.set(run, entry);
    for (const event of events) entry.events.push(event);
    entry.size += size;
    entry.ended = ended;
    const waiting = this.uncommitted.get(run) ?? { size: 0, events: 0 };
    this.uncommitted.set(run, waiting);
    waiting.size += size;
    waiting.events += events.length;
    this.working ??= this.work();
  }

  room(run: Run): Promise<void> | null {
    if ((this.uncommitted.get(run)?.size ?? 0) <= MAX_WAITING) return null;
    const wanted = this.roomWanted.get(run) ?? Promise.withResolvers<void>();
    this.roomWanted.set(run, wanted);
    return wanted.promise;
  }

  async committed(run: Run): Promise<void> {
    if (!this.uncommitted.has(run)) return;
    const wanted = this.commitsWanted.get(run) ?? Promise.withResolvers<void>();
    this.commitsWanted.set(run, wanted);
    await wanted.promise;
  }

  assure(): Promise<void> | null {
    return this.options.assure();
  }

  waiting(run: Run): number {
    return this.uncommitted.get(run)?.events ?? 0;
  }

  /** Gives up what could not be committed: the database did not come back in time for the stop of this process. */
  close(): void {
    this.closing.abort();
  }

  private async work(): Promise<void> {
    while (this.queue.size > 0) {
      await immediate(); // what other connections have brought by now goes along
      const began = performance.now();
      const entries = this.take();
      if (entries.length === 0) continue;
      await this.commit(entries);
      const rest = began + PACE_MS - performance.now();
      if (rest > 0 && this.isUnhurried(entries)) await delay(rest);
    }
    this.working = null;
  }

  /** True if the next commit may wait a little, for more to go with it: there is much to do, and nobody waits for a step. */
  private isUnhurried(entries: readonly Entry[]): boolean {
    if (this.options.load.share() < BUSY || this.commitsWanted.size > 0) return false;
    return !entries.some(({ ended }) => ended) && !this.queue.values().some(({ ended }) => ended);
  }

  /** What goes into the next commit. Runs that are lost go nowhere. */
  private take(): readonly Entry[] {
    const entries: Entry[] = [];
    let size = 0;
    for (const entry of this.queue.values()) {
      size += entry.size;
      if (entries.length > 0 && size > MAX_COMMIT) break;
      this.queue.delete(entry.run);
      if (entry.run.lost) this.release(entry);
      else entries.push(entry);
    }
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
    const { hub, tellOthers } = this.options;
    tellOthers(
      entries.map(({ run, events }) => ({
        responseId: run.base.id,
        last: events.at(-1)?.sequenceNumber ?? 0,
      })),
    );
    for (const entry of entries) {
      const { run, events, ended, size } = entry;
      this.release(entry);
      run.recent.add(events, size);
      hub.tell(run.base.id, events, size);
      if (ended) run.told(events.at(-1)?.sequenceNumber ?? 0);
      else if (!this.uncommitted.has(run)) run.flush();
    }
  }

  private drop(entries: readonly Entry[]): void {
    for (const entry of entries) this.release(entry);
  }

  private release({ run, size, events }: Entry): void {
    const waiting = this.uncommitted.get(run) ?? { size: 0, events: 0 };
    waiting.size -= size;
    waiting.events -= events.length;
    if (waiting.events <= 0) {
      this.uncommitted.delete(run);
      this.commitsWanted.get(run)?.resolve();
      this.commitsWanted.delete(run);
    }
    if (waiting.size > MAX_WAITING) return;
    this.roomWanted.get(run)?.resolve();
    this.roomWanted.delete(run);
  }
}
