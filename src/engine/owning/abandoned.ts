import type { Run } from '../run/run.ts';
import { type FailOptions, failOrphan } from './fail-orphans.ts';

/**
 * Runs that this process gave up although it lives: their events were refused, or something broke in them. They
 * end as FAILED from what was committed, as soon as the database allows it.
 */
export class Abandoned {
  private readonly options: FailOptions;
  private readonly runs = new Set<Run>();

  constructor(options: FailOptions) {
    this.options = options;
  }

  /** Gives up a run and ends it, now or with a later `retry`. Never throws. */
  add(run: Run): void {
    run.lose();
    if (!run.base.settings.store) return;
    this.runs.add(run);
    void this.retry();
  }

  async retry(): Promise<void> {
    for (const run of this.runs) {
      try {
        await failOrphan(this.options, { tenant: run.tenant, id: run.base.id });
        this.runs.delete(run);
      } catch (error) {
        this.options.logger.warn(
          { error, responseId: run.base.id },
          'a run that was given up could not be ended yet',
        );
      }
    }
  }
}
