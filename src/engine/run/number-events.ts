import type { EventDraft, ResponseEvent } from '../../protocol/events.ts';

/** Gives the events of one response their numbers: 0, 1, 2 … without a gap. The only owner of the counter. */
export class EventNumbers {
  private next: number;

  constructor(first = 0) {
    this.next = first;
  }

  number(drafts: readonly EventDraft[]): readonly ResponseEvent[] {
    return drafts.map((draft) => ({ ...draft, sequenceNumber: this.next++ }));
  }
}
