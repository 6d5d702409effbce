import type { ResponseId } from '../protocol/ids.ts';

/** Something happened that other processes may want to look at. It only wakes: whoever misses one finds out by polling. */
export type WakeUp =
  /** `last` is the number of the last event committed. */
  | { readonly type: 'logged'; readonly responseId: ResponseId; readonly last: number }
  | { readonly type: 'cancel'; readonly responseId: ResponseId }
  /** Background runs wait for somebody. */
  | { readonly type: 'work' };

export interface WakeUpListener {
  /** Wake-ups of other processes, and possibly of this one. */
  readonly onWakeUps: (wakeUps: readonly WakeUp[]) => void;
  /** Some may have been missed (first connection, reconnection): look at everything. */
  readonly onGap: () => void;
}

export interface WakeUps {
  /**
   * Never throws, never waits, never piles up: while one send is under way the next gathers (a later `logged` of a
   * response replaces an earlier one); when the way out is down they are dropped.
   */
  send(wakeUps: readonly WakeUp[]): void;
  /** Starts listening; while the other side is away it goes on trying. Call once. */
  listen(listener: WakeUpListener): void;
  /** At most a second. */
  close(): Promise<void>;
}
