import type { ResponseId } from '../../protocol/ids.ts';
import { type Clockwork, isDatabaseAway } from '../../store/database.ts';
import { lookAtFollowed } from '../../store/following.ts';
import type { Logger } from '../../util/logger.ts';
import type { Hub } from './hub.ts';

export interface ElsewhereOptions {
  readonly database: Clockwork;
  readonly hub: Hub;
  readonly logger: Logger;
  /** Between two looks. In milliseconds. */
  readonly pollMs: number;
  /** True while the response runs in this process, so that the hub is told everything. */
  readonly runsHere: (id: ResponseId) => boolean;
}

/**
 * Looks after the followers of responses that run elsewhere, all of them at once: nobody who misses a wake-up of
 * another process waits longer than until the next look. One that finds nothing new wakes nobody up: listeners know
 * how far they are.
 */
export class Elsewhere {
  private readonly options: ElsewhereOptions;
  private timer: NodeJS.Timeout | undefined;
  private looking = false;
  private again = false;
  private stopped = false;

  constructor(options: ElsewhereOptions) {
    this.options = options;
  }

  start(): void {
    this.timer = setInterval(() => {
      if (!this.looking) this.look();
    }, this.options.pollMs).unref();
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  /** Looks now, or once more if a look is under way: what that one has found may be old. */
  look(): void {
    this.again = true;
    if (!this.looking) void this.work();
  }

  private async work(): Promise<void> {
    this.looking = true;
    try {
      while (this.again && !this.stopped) {
        this.again = false;
        await this.lookOnce();
      }
    } catch (error) {
      if (!this.stopped && !isDatabaseAway(error))
        this.options.logger.error({ error }, 'the logs of followed responses could not be read');
    } finally {
      this.looking = false;
    }
  }

  private async lookOnce(): Promise<void> {
    const { database, hub, runsHere } = this.options;
    const ids = hub.followed().filter((id) => !runsHere(id));
    if (ids.length === 0) return;
    for (const { id, last } of await lookAtFollowed(database, ids))
      hub.wake(id, last ?? Number.POSITIVE_INFINITY);
  }
}
