import { cutContext, nextCut } from '../../model/cut-context.ts';
import { ModelError } from '../../model/model-client.ts';
import type { Item } from '../../protocol/items.ts';
import type { Run } from './run.ts';

/** Cuts that one run may make. */
const MAX_CUTS = 3;

/** What the model of a run is given of its conversation: all of it, until it says that this is too long. */
export class Truncation {
  private readonly run: Run;
  private start = 0;
  private cuts = 0;

  constructor(run: Run) {
    this.run = run;
  }

  /**
   * Makes a round with the conversation, and again with less of it for as long as it is too long for the model and
   * the run may cut it. Later rounds begin with what was left.
   *
   * @throws what the round throws, if it is something else, or came too late, or nothing more can be cut.
   */
  attempt<Result>(
    conversation: readonly Item[],
    round: (context: readonly Item[]) => Promise<Result>,
  ): Promise<Result> {
    const before = this.run.state;
    return round(cutContext(conversation, this.start)).catch((error: unknown) => {
      const hasWritten = this.run.state !== before; // a second try would say it twice
      const start = isTooLong(error) && !hasWritten ? this.nextStart(conversation) : null;
      if (start === null) throw error;
      this.start = start;
      this.cuts++;
      return this.attempt(conversation, round);
    });
  }

  private nextStart(conversation: readonly Item[]): number | null {
    const mayCut = this.run.base.settings.truncation === 'auto' && this.cuts < MAX_CUTS;
    return mayCut ? nextCut(conversation, this.start) : null;
  }
}

function isTooLong(error: unknown): boolean {
  return error instanceof ModelError && error.code === 'context_length_exceeded';
}
