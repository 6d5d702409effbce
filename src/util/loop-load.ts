import { performance } from 'node:perf_hooks';

/** How long the loop is watched before it is judged anew. In milliseconds. */
const WINDOW_MS = 20;

/** Tells how much of its time the event loop has had something to do of late. Costs nothing while nobody asks. */
export class LoopLoad {
  private since = performance.eventLoopUtilization();
  private judgedAt = performance.now();
  private current = 0;

  /** The share of the time, 0 to 1. */
  share(): number {
    const now = performance.now();
    if (now - this.judgedAt >= WINDOW_MS) {
      this.current = performance.eventLoopUtilization(this.since).utilization;
      this.since = performance.eventLoopUtilization();
      this.judgedAt = now;
    }
    return this.current;
  }
}
