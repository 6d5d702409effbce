import type { ResponseEvent } from '../../protocol/events.ts';
import type { ResponseId } from '../../protocol/ids.ts';

/** Somebody who wants to know of what becomes of one response. Neither may throw. */
export interface HubListener {
  /** These events have been committed by this process. */
  told(events: readonly ResponseEvent[], size: number): void;
  /** Another process has committed everything up to the number `last`, or the response is over: the log knows. */
  woken(last: number): void;
}

/** Tells the followers in this process what has been committed. Knows nothing of the past: that is the log's. */
export class Hub {
  private readonly listeners = new Map<ResponseId, Set<HubListener>>();

  /** Listens until the returned function is called. */
  listen(id: ResponseId, listener: HubListener): () => void {
    const group = this.listeners.get(id) ?? new Set();
    group.add(listener);
    this.listeners.set(id, group);
    return () => {
      group.delete(listener);
      if (group.size === 0 && this.listeners.get(id) === group) this.listeners.delete(id);
    };
  }

  /** `size`: as `sizeOfEvents` has it, so that nobody measures them again. */
  tell(id: ResponseId, events: readonly ResponseEvent[], size: number): void {
    for (const listener of this.listeners.get(id) ?? []) listener.told(events, size);
  }

  wake(id: ResponseId, last: number): void {
    for (const listener of this.listeners.get(id) ?? []) listener.woken(last);
  }

  /** True while anybody in this process follows the response, or waits for its end. */
  isFollowed(id: ResponseId): boolean {
    return this.listeners.has(id);
  }

  followed(): readonly ResponseId[] {
    return [...this.listeners.keys()];
  }
}
