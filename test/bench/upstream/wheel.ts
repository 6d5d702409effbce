/**
 * One timer for everything that has to happen every so many milliseconds: the turns of its members are spread
 * evenly, a millisecond apart, and those that came due while the process was busy are caught up with.
 */
export class Wheel {
  private readonly slots: readonly Set<() => void>[];
  private timer: NodeJS.Timeout | undefined;
  private startedAt = 0;
  private turns = 0;
  private added = 0;

  constructor(everyMs: number) {
    this.slots = Array.from({ length: everyMs }, () => new Set());
  }

  /** Calls `turn` on each round, until what this returns is called. */
  add(turn: () => void): () => void {
    const slot = this.slots[this.added++ % this.slots.length];
    slot?.add(turn);
    if (this.timer === undefined) this.start();
    return () => {
      slot?.delete(turn);
      if (this.slots.every(({ size }) => size === 0)) this.stop();
    };
  }

  private start(): void {
    this.startedAt = performance.now();
    this.turns = 0;
    this.timer = setInterval(() => this.run(), 1);
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private run(): void {
    const due = performance.now() - this.startedAt;
    while (this.turns <= due) {
      const slot = this.slots[this.turns++ % this.slots.length];
      if (slot !== undefined) for (const turn of slot) turn();
    }
  }
}
