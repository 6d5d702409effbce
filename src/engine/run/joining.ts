import type { LoopLoad } from '../../util/loop-load.ts';

/** Whether and how long the deltas of runs are joined. */
export interface Joining {
  /** True if a run joins its deltas now, of which so many events wait to be told. */
  isOn(waiting: number): boolean;
  /** True if a run with a delta is better told with the next of them: then it is flushed within `HOLD_MS`. */
  holds(run: Flushable): boolean;
}

export interface Flushable {
  flush(): void;
}

/** As many events as nobody can tell apart when they come at once. */
const MANY = 32;

/** A loop that rests less than a tenth of its time is behind, or about to be. */
const BEHIND = 0.9;

/** Nobody sees a text that grows forty times a second stand still. In milliseconds. */
const HOLD_MS = 25;

export const neverJoins: Joining = { isOn: () => false, holds: () => false };

/** Joins while there is more to do than gets done, in this process or for this run, and else never. */
export function joinsUnderLoad(load: LoopLoad): Joining {
  const held = new Set<Flushable>();
  let isReleasing = false;
  const release = () => {
    isReleasing = true;
    const runs = [...held];
    held.clear();
    for (const run of runs) run.flush();
    isReleasing = false;
  };
  return {
    isOn: (waiting) => waiting > MANY || load.share() > BEHIND,
    holds(run) {
      if (isReleasing || load.share() <= BEHIND) return false;
      if (held.size === 0) setTimeout(release, HOLD_MS);
      held.add(run);
      return true;
    },
  };
}
