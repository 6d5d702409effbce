import type { Run } from '../run/run.ts';
import { type EndOptions, endOrphan, STOPPED } from './end-orphans.ts';

/**
 * Runs that this process gave up although it lives: their events were refused, or something broke in them. They
 * end as FAILED from what was committed, as soon as the database allows it.
 */
export class Abandoned {
  private readonly options: EndOptions;
  /** With the id under which this process owned each. */
  private readonly runs = new Map<Run, string>();

  constructor(options: EndOptions) {
    this.options = options;
  }

  /** Gives up a run and ends it, now or with a later `retry`. Never throws. */
  add(run: Run): void {
    if (run.lost) return; // it is another's to go on with
    run.lose();
    if (!run.base.settings.store) return;
    this.runs.set(run, this.options.processId());
    void this.retry();
  }

  async retry(): Promise<void> {
    for (const [run, owner] of this.runs) {
      try {
        await run.settled(); // or its last commit and its end would take the same numbers
        await endOrphan(this.options, { tenant: run.tenant, id: run.base.id, owner }, STOPPED);
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
