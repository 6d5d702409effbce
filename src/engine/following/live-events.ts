import type { ResponseEvent } from '../../protocol/events.ts';

/** A follower that is this far behind has nothing more kept for it: it reads from the log again. Size in characters. */
export const MAX_KEPT = { events: 2000, size: 4 * 1024 * 1024 } as const;

/**
 * - `ready`: they follow directly on what the follower has; none is none
 * - `missing`: what comes before those kept here is in the log alone
 * - `overflowed`: the same, as more was told than is kept for anybody
 */
export type Taken =
  | { readonly kind: 'ready'; readonly events: readonly ResponseEvent[] }
  | { readonly kind: 'missing' | 'overflowed' };

/** What the hub has told and a follower has not taken yet, within bounds. */
export class LiveEvents {
  private kept: (readonly ResponseEvent[])[] = [];
  private count = 0;
  private size = 0;
  private hasDropped = false;

  push(events: readonly ResponseEvent[], size: number): void {
    this.kept.push(events);
    this.count += events.length;
    this.size += size;
    // A single batch is as large as it is, and the hub has it for all.
    if (this.kept.length === 1 || (this.count <= MAX_KEPT.events && this.size <= MAX_KEPT.size)) return;
    this.clear();
    this.hasDropped = true; // the log has them
  }

  /** What comes after the number `last`. What cannot be joined on yet stays, for when the log has been read. */
  take(last: number): Taken {
    if (this.hasDropped) {
      this.hasDropped = false;
      return { kind: 'overflowed' };
    }
    const [only = [], ...more] = this.kept;
    const isPlain = more.length === 0 && only[0]?.sequenceNumber === last + 1;
    const events = isPlain ? only : this.kept.flat().filter(({ sequenceNumber }) => sequenceNumber > last);
    if (events[0] !== undefined && events[0].sequenceNumber !== last + 1) return { kind: 'missing' };
    this.clear();
    return { kind: 'ready', events };
  }

  private clear(): void {
    this.kept = [];
    this.count = 0;
    this.size = 0;
  }
}
