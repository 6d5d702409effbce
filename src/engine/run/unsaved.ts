import type { ResponseEvent } from '../../protocol/events.ts';

/** What a run has handed over since its last commit began. */
export interface Gathered {
  readonly events: readonly ResponseEvent[];
  /** In characters. */
  readonly size: number;
  /** True if the terminal event is among them. */
  readonly ended: boolean;
}

type Mutable = { events: ResponseEvent[]; size: number; ended: boolean };

/**
 * What of a run is not committed yet, and who waits for it. It stands at the run and not in maps of the recorder: a map
 * that things enter and leave all the time leaves old tables of itself behind, each with a link to the next, and so
 * keeps alive, until the next full collection, what was in them.
 */
export class Unsaved {
  /** How many events. */
  count = 0;
  /** In characters. */
  size = 0;
  /** What goes into the next commit: all of it but what is being committed. */
  private gathered: Mutable | null = null;
  private forRoom: PromiseWithResolvers<void> | null = null;
  private forAll: PromiseWithResolvers<void> | null = null;

  /** @returns true if it is the first for the next commit. */
  add(events: readonly ResponseEvent[], size: number, ended: boolean): boolean {
    const isFirst = this.gathered === null;
    this.gathered ??= { events: [], size: 0, ended };
    for (const event of events) this.gathered.events.push(event);
    this.gathered.size += size;
    this.gathered.ended = ended;
    this.count += events.length;
    this.size += size;
    return isFirst;
  }

  /** How large the next commit of it is, in characters. */
  get nextSize(): number {
    return this.gathered?.size ?? 0;
  }

  /** True if the next commit should not wait for others: it is the last one, or somebody waits for it. */
  get isUrgent(): boolean {
    return this.forAll !== null || this.gathered?.ended === true;
  }

  /** Takes what has gathered, for a commit. */
  take(): Gathered {
    const gathered = this.gathered ?? { events: [], size: 0, ended: false };
    this.gathered = null;
    return gathered;
  }

  /** Resolves when there is little of it. */
  untilRoom(): Promise<void> {
    this.forRoom ??= Promise.withResolvers();
    return this.forRoom.promise;
  }

  /** Resolves when there is nothing of it. */
  untilSaved(): Promise<void> {
    this.forAll ??= Promise.withResolvers();
    return this.forAll.promise;
  }

  /** So much was committed, or given up. */
  release({ events, size }: Gathered, enough: number): void {
    this.count -= events.length;
    this.size -= size;
    if (this.count === 0) {
      this.forAll?.resolve();
      this.forAll = null;
    }
    if (this.size > enough) return;
    this.forRoom?.resolve();
    this.forRoom = null;
  }
}
