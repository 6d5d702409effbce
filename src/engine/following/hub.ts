import type { ResponseEvent } from '../../protocol/events.ts';
import type { ResponseId } from '../../protocol/ids.ts';

type Listener = (events: readonly ResponseEvent[]) => void;

/** Tells the followers in this process what has been committed. Knows nothing of the past: that is the log's. */
export class Hub {
  private readonly listeners = new Map<ResponseId, Set<Listener>>();

  /** Listens until the returned function is called. */
  listen(id: ResponseId, listener: Listener): () => void {
    const group = this.listeners.get(id) ?? new Set();
    group.add(listener);
    this.listeners.set(id, group);
    return () => {
      group.delete(listener);
      if (group.size === 0 && this.listeners.get(id) === group) this.listeners.delete(id);
    };
  }

  tell(id: ResponseId, events: readonly ResponseEvent[]): void {
    for (const listener of this.listeners.get(id) ?? []) listener(events);
  }
}
