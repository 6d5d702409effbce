import type { LoopLoad } from '../../util/loop-load.ts';

/** Whether and how long the deltas of runs are joined. */
export interface Joining {
  /** True if a run joins its deltas now, of which so many events wait to be told. */
  isOn(waiting: number): boolean;
  /** True if a run with a delta is better told with the next of them: then it is flushed within `HOLD_MS`. */
  holds(run: Flushable): boolean;
}

export interface Flushable {
  /** Set while it is held. */
  isHeld: boolean;
  flush(): void;
}

/** As many events as nobody can tell apart when they come at once. */
const MANY = 32;

/** A loop that rests less than a tenth of its time is behind, or about to be. */
const BEHIND = 0.9;

/** While deltas are joined there is less to do: not until so much of its time is free they are told one by one again. */
const RELIEVED = 0.8;

/** Nobody sees a text that grows forty times a second stand still. In milliseconds. */
const HOLD_MS = 25;

/** Runs that are due within so many milliseconds are flushed together. */
const TOGETHER_MS = 5;

export const neverJoins: Joining = { isOn: () => false, holds: () => false };

/** Joins while there is more to do than gets done, in this process or for this run, and else never. */
export function joinsUnderLoad(load: LoopLoad): Joining {
  const waiting = new HeldRuns();
  let isBehind = false;
  const judge = () => {
    const share = load.share();
    isBehind = share > (isBehind ? RELIEVED : BEHIND);
    return isBehind;
  };
  return {
    isOn: (count) => count > MANY || judge(),
    holds: (run) => !waiting.areReleased && judge() && waiting.add(run),
  };
}

/** Runs that are held, each for its own `HOLD_MS`, so that those of many do not all come due at once. */
class HeldRuns {
  /** True while they are being flushed. */
  areReleased = false;
  /** In the order in which they come due. */
  private runs: { readonly run: Flushable; readonly dueAt: number }[] = [];

  /** @returns true */
  add(run: Flushable): true {
    if (run.isHeld) return true;
    run.isHeld = true;
    if (this.runs.length === 0) setTimeout(() => this.release(), HOLD_MS);
    this.runs.push({ run, dueAt: performance.now() + HOLD_MS });
    return true;
  }

  private release(): void {
    const now = performance.now() + TOGETHER_MS / 2;
    const later = this.runs.findIndex(({ dueAt }) => dueAt > now);
    const due = later < 0 ? this.runs : this.runs.slice(0, later);
    this.runs = later < 0 ? [] : this.runs.slice(later);
    if (this.runs.length > 0) setTimeout(() => this.release(), TOGETHER_MS);
    this.areReleased = true;
    for (const { run } of due) {
      run.isHeld = false;
      run.flush();
    }
    this.areReleased = false;
  }
}
