import type { ResponseEvent } from '../../protocol/events.ts';
import { sizeOfEvents } from './events-size.ts';

/** Of one run. Size in characters. */
const MAX_RECENT = { events: 64, size: 64 * 1024 } as const;

/**
 * What a run has told so far, while that is little: whoever follows it from its beginning, as most do at once, needs
 * no look into the log. Holds nothing that is not committed, and nothing at all once it is much: what is kept for a
 * while and then let go costs the most to clear away.
 */
export class RecentEvents {
  private batches: (readonly ResponseEvent[])[] = [];
  private isMuch = false;
  private count = 0;
  private size = 0;
  /** The number of the first event that is here; of the next one to come if there is none. */
  private first: number;
  /** The number of the last event that was told. */
  last: number;

  /** `events`: those that are in the log already, and whose numbers end before `next`. */
  constructor(next: number, events: readonly ResponseEvent[] = []) {
    this.first = next - events.length;
    this.last = next - events.length - 1;
    if (events.length > 0) this.add(events, sizeOfEvents(events));
  }

  add(events: readonly ResponseEvent[], size: number): void {
    this.last += events.length;
    if (this.isMuch) {
      this.first = this.last + 1;
      return;
    }
    this.batches.push(events);
    this.count += events.length;
    this.size += size;
    if (this.count <= MAX_RECENT.events && this.size <= MAX_RECENT.size) return;
    this.isMuch = true;
    this.batches = []; // the log has them
    this.first = this.last + 1;
  }

  /** Everything that was told after the event with this number; null if only the log has all of it. */
  after(number: number): readonly ResponseEvent[] | null {
    if (number + 1 < this.first) return null;
    const [only = [], ...more] = this.batches;
    if (more.length === 0 && only[0]?.sequenceNumber === number + 1) return only;
    return this.batches.flat().filter(({ sequenceNumber }) => sequenceNumber > number);
  }
}
