import type { LoopLoad } from '../../util/loop-load.ts';

/** Whether the deltas of a run are joined, of which so many events wait to be told. */
export type Joining = (waiting: number) => boolean;

/** As many events as nobody can tell apart when they come at once. */
const MANY = 32;

/** A loop that rests less than a tenth of its time is behind, or about to be. */
const BEHIND = 0.9;

export const neverJoins: Joining = () => false;

/** Joins while there is more to do than gets done, in this process or for this run, and else never. */
export function joinsUnderLoad(load: LoopLoad): Joining {
  return (waiting) => waiting > MANY || load.share() > BEHIND;
}
