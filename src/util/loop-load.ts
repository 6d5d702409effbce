import { performance } from 'node:perf_hooks';

/** How long the loop is watched before it is judged anew. In milliseconds. */
const WINDOW_MS = 20;

/** A loop that rests less than this share of the time is behind, or about to be. */
const IDLE_SHARE = 0.1;

/** Tells whether this process has more to do than it gets done. Costs nothing while nobody asks. */
export class LoopLoad {
  private since = performance.eventLoopUtilization();
  private judgedAt = performance.now();
  private high = false;

  /** True if the event loop hardly rested of late: what comes in waits for its turn. */
  isHigh(): boolean {
    const now = performance.now();
    if (now - this.judgedAt >= WINDOW_MS) {
      const { utilization } = performance.eventLoopUtilization(this.since);
      this.since = performance.eventLoopUtilization();
      this.judgedAt = now;
      this.high = utilization > 1 - IDLE_SHARE;
    }
    return this.high;
  }
}
