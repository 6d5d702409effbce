import { type Clockwork, isDatabaseAway } from '../../store/database.ts';
import { stillFollowed } from '../../store/ownership.ts';
import type { Logger } from '../../util/logger.ts';
import type { Hub } from '../following/hub.ts';
import type { Run } from '../run/run.ts';
import type { Runs } from '../run/runs.ts';

export interface AudienceOptions {
  readonly database: Clockwork;
  readonly logger: Logger;
  readonly hub: Hub;
  readonly runs: Runs;
  /** How long a run goes on that nobody waits for or follows, wherever. In milliseconds. */
  readonly graceMs: number;
  /** How often other instances note that they have followers. In milliseconds. */
  readonly pollMs: number;
}

/** Between two looks, in milliseconds: as often as the grace needs. */
const MOST_MS = 1000;
const LEAST_MS = 20;

/**
 * Cancels the runs that nobody is there for any more: a model goes on billing whoever has left. Background runs need
 * nobody. The grace begins with the run, and again when the last one has left.
 */
export class Audience {
  private readonly options: AudienceOptions;
  private readonly lastSeen = new WeakMap<Run, number>();
  private timer: NodeJS.Timeout | undefined;
  private looking = false;

  constructor(options: AudienceOptions) {
    this.options = options;
  }

  start(): void {
    const every = Math.min(Math.max(this.options.graceMs / 4, LEAST_MS), MOST_MS);
    this.timer = setInterval(() => void this.look(), every).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const now = performance.now();
    const overdue = this.options.runs.all().filter((run) => this.isOverdue(run, now));
    if (overdue.length === 0 || this.looking) return;
    this.looking = true;
    try {
      const followed = await this.followedElsewhere(overdue);
      for (const run of overdue) {
        // Somebody may have come while the database was asked.
        if (!followed.has(run.base.id) && this.isOverdue(run, now)) run.stop('cancelled');
      }
    } catch (error) {
      if (!isDatabaseAway(error))
        this.options.logger.error({ error }, 'the followers elsewhere could not be read');
    } finally {
      this.looking = false;
    }
  }

  private isOverdue(run: Run, now: number): boolean {
    const { hub, graceMs } = this.options;
    if (run.base.settings.background || run.signal.aborted) return false;
    const seen = hub.isFollowed(run.base.id) ? now : (this.lastSeen.get(run) ?? now);
    this.lastSeen.set(run, seen);
    return now - seen > graceMs;
  }

  /** An instance that has followers says so once in every poll, so what it said last may be as old as that. */
  private async followedElsewhere(overdue: readonly Run[]) {
    const { database, graceMs, pollMs } = this.options;
    const stored = overdue.flatMap(({ base: { id, settings } }) => (settings.store ? [id] : []));
    return stored.length === 0 ? new Set() : stillFollowed(database, stored, graceMs + 2 * pollMs);
  }
}
