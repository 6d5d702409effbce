import { performance } from 'node:perf_hooks';

/** Tells how much of its time the event loop has had something to do of late. Costs nothing while nobody asks. */
export class LoopLoad {
  private readonly windowMs: number;
  private since = performance.eventLoopUtilization();
  private judgedAt = performance.now();
  private current = 0;

  /** The loop is watched for so many milliseconds before it is judged anew. */
  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  /** The share of the time, 0 to 1. */
  share(): number {
    const now = performance.now();
    if (now - this.judgedAt >= this.windowMs) {
      this.current = performance.eventLoopUtilization(this.since).utilization;
      this.since = performance.eventLoopUtilization();
      this.judgedAt = now;
    }
    return this.current;
  }
}
