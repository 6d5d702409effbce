import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Flushable, joinsUnderLoad, neverJoins } from '../../src/engine/run/joining.ts';
import { LoopLoad } from '../../src/util/loop-load.ts';
import { seemingLoad } from '../support/watch-runs.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Runs that ask to be held whenever they are to be flushed, and when they were flushed. */
function startRuns() {
  const joining = joinsUnderLoad(new LoopLoad(20));
  const flushed: string[] = [];
  const began = performance.now();
  const startRun = (name: string): Flushable => {
    const run = {
      isHeld: false,
      flush: () => {
        if (!joining.holds(run)) flushed.push(`${name} ${Math.round(performance.now() - began)}`);
      },
    };
    return run;
  };
  return { joining, flushed, startRun };
}

test('deltas are joined never, under load, or when many wait', () => {
  const { joining } = startRuns();
  {
    using _ = seemingLoad('low');
    expect([0, 32, 33].map(joining.isOn)).toEqual([false, false, true]);
  }
  using _ = seemingLoad('high');
  expect([0, 32, 33].map(joining.isOn)).toEqual([true, true, true]);
  expect([0, 32, 33].map(neverJoins.isOn)).toEqual([false, false, false]);
});

test('a loop that was behind has to be well relieved before deltas are told one by one again', () => {
  const { joining } = startRuns();
  const share = vi.spyOn(LoopLoad.prototype, 'share');
  const isOnAt = (load: number) => {
    share.mockReturnValue(load);
    return joining.isOn(0);
  };
  expect([0.7, 0.89, 0.91, 0.85, 0.81, 0.79, 0.85].map(isOnAt)).toEqual([
    false,
    false,
    true,
    true,
    true,
    false,
    false,
  ]);
  share.mockRestore();
});

test('each run is held for its own 25 ms, those that come due at about the same moment together', () => {
  using _ = seemingLoad('high');
  const { flushed, startRun } = startRuns();
  const [one, two, three] = [startRun('one'), startRun('two'), startRun('three')];
  one.flush();
  vi.advanceTimersByTime(2);
  two.flush();
  vi.advanceTimersByTime(10);
  three.flush();
  vi.advanceTimersByTime(8); // 20
  one.flush(); // is held already
  vi.advanceTimersByTime(4);
  expect(flushed).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(flushed).toEqual(['one 25', 'two 25']);
  one.flush();
  vi.advanceTimersByTime(25); // 50
  expect(flushed).toEqual(['one 25', 'two 25', 'three 35', 'one 50']);
  vi.advanceTimersByTime(1000);
  expect(flushed).toHaveLength(4);
});

test('with little to do nothing is held', () => {
  using _ = seemingLoad('low');
  const { flushed, startRun } = startRuns();
  startRun('one').flush();
  expect(flushed).toEqual(['one 0']);
});
