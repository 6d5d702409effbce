import { type Clockwork, isDatabaseAway } from '../../store/database.ts';
import { unwantedRuns } from '../../store/ownership.ts';
import type { Logger } from '../../util/logger.ts';
import { oneAtATime } from '../../util/one-at-a-time.ts';
import type { Runs } from '../run/runs.ts';

export interface WishesOptions {
  readonly database: Clockwork;
  readonly logger: Logger;
  readonly runs: Runs;
  readonly processId: () => string;
  /** Ends what this process has and does not run. */
  readonly endOrphans: () => Promise<void>;
  /** In milliseconds. */
  readonly pollMs: number;
}

/** Cancels the runs of this process that another instance was asked to cancel. */
export class Wishes {
  private readonly options: WishesOptions;
  private timer: NodeJS.Timeout | undefined;
  /** Asks the database now. Never throws; one that is away is asked again at the next turn. */
  readonly look = oneAtATime(() => this.lookOnce());

  constructor(options: WishesOptions) {
    this.options = options;
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), this.options.pollMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async lookOnce(): Promise<void> {
    const { database, logger, runs, processId, endOrphans } = this.options;
    try {
      const unwanted = await unwantedRuns(database, processId());
      for (const id of unwanted) runs.get(id)?.stop('cancelled');
      // What waits here for its turn, and will not get it.
      if (unwanted.some((id) => runs.get(id) === undefined)) await endOrphans();
    } catch (error) {
      if (!isDatabaseAway(error)) logger.error({ error }, 'the wishes to cancel could not be read');
    }
  }
}
