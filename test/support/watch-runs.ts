import { vi } from 'vitest';
import { Run } from '../../src/engine/run/run.ts';
import { outputTextOf } from '../../src/protocol/items.ts';
import { LoopLoad } from '../../src/util/loop-load.ts';

/** The runs of this test process, from the inside. */
export interface WatchedRuns extends Disposable {
  /** The text that a run has been given by its model so far, told or not. */
  textOf(id: string): string;
  /** Resolves once it has been given this text. */
  heard(id: string, text: string): Promise<void>;
}

export function watchRuns(): WatchedRuns {
  const runs = new Map<string, Run>();
  const { flush } = Run.prototype;
  const spy = vi.spyOn(Run.prototype, 'flush').mockImplementation(function (this: Run) {
    runs.set(this.base.id, this);
    flush.call(this);
  });
  const textOf = (id: string) => outputTextOf(runs.get(id)?.state.output ?? []);
  return {
    textOf,
    heard: async (id, text) => {
      await vi.waitUntil(() => textOf(id) === text, { timeout: 5000, interval: 1 });
    },
    [Symbol.dispose]: () => spy.mockRestore(),
  };
}

/** From now on this process seems to have little to do, or too much, whatever it has. */
export function seemingLoad(load: 'high' | 'low'): Disposable {
  const spy = vi.spyOn(LoopLoad.prototype, 'share').mockReturnValue(load === 'high' ? 1 : 0);
  return { [Symbol.dispose]: () => spy.mockRestore() };
}
