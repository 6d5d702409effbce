import type { ResponseEvent } from '../../protocol/events.ts';

/** Takes a batch at once, or says that it cannot. */
export type Take = (events: readonly ResponseEvent[]) => boolean;

/** Batches of events, as a generator. Returning early releases everything at once. */
export interface EventBatches extends AsyncGenerator<readonly ResponseEvent[], void> {
  /**
   * Offers a batch here first, the moment that it is told, while whoever reads the generator waits for the next one.
   * What is taken does not come again; what `take` throws counts as not taken. Absent where batches are not given as they are told.
   */
  readonly tap?: (take: Take) => void;
}
