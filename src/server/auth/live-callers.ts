import type { Caller } from '../../protocol/caller.ts';
import { alarm } from '../../util/alarm.ts';

interface Watcher {
  readonly end: () => void;
}

/** Who is connected, and what is to be done when they no longer may be. */
export class LiveCallers {
  private readonly byKey = new Map<string, Set<Watcher>>();

  /** The keys of those who are connected. */
  get keys(): readonly string[] {
    return [...this.byKey.keys()];
  }

  /** As `Authenticator.watch`. */
  watch({ key, until }: Caller, onEnd: () => void): () => void {
    const end = () => {
      leave();
      onEnd();
    };
    const callOff = until === null ? () => {} : alarm(until, end);
    const watcher: Watcher = { end };
    const watchers = this.byKey.get(key) ?? new Set();
    this.byKey.set(key, watchers.add(watcher));
    const leave = () => {
      callOff();
      watchers.delete(watcher);
      if (watchers.size === 0 && this.byKey.get(key) === watchers) this.byKey.delete(key);
    };
    return leave;
  }

  /** The right of all who came with this key ends. */
  end(key: string): void {
    for (const { end } of [...(this.byKey.get(key) ?? [])]) end();
  }
}
