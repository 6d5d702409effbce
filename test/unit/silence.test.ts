import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Silence } from '../../src/model/silence.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const LIMIT = 1000;

function watched(limitMs = LIMIT) {
  const heard: string[] = [];
  const silence = new Silence(limitMs, ({ code, message }) => heard.push(`${code}: ${message}`));
  return { silence, heard };
}

test('it tells once, when it has been waited for so long', () => {
  const { heard } = watched();
  vi.advanceTimersByTime(LIMIT - 1);
  expect(heard).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(heard).toEqual(['server_error: The model sent nothing for 1 seconds.']);
  vi.advanceTimersByTime(10 * LIMIT);
  expect(heard).toHaveLength(1);
});

test('the time between the end of a wait and the next does not count', () => {
  const { silence, heard } = watched();
  for (let times = 0; times < 10; times++) {
    vi.advanceTimersByTime(LIMIT - 1);
    silence.end();
    vi.advanceTimersByTime(5 * LIMIT); // whoever reads is slow
    silence.begin(LIMIT);
  }
  expect(heard).toEqual([]);
  vi.advanceTimersByTime(LIMIT);
  expect(heard).toHaveLength(1);
});

test('each wait has its own limit, also a shorter one', () => {
  const { silence, heard } = watched();
  silence.end();
  silence.begin(LIMIT / 10);
  vi.advanceTimersByTime(LIMIT / 10 - 1);
  silence.end();
  silence.begin(LIMIT);
  vi.advanceTimersByTime(LIMIT - 1);
  expect(heard).toEqual([]);
  silence.end();
  silence.begin(LIMIT / 10);
  vi.advanceTimersByTime(LIMIT / 10);
  expect(heard).toEqual(['server_error: The model sent nothing for 0.1 seconds.']);
});

test('a model that says much sets no timer for each word', () => {
  const { setTimeout: set } = globalThis;
  let sets = 0;
  // No spy: one that is restored after the time of the test would bring it back, for every file that follows.
  vi.stubGlobal('setTimeout', (...call: Parameters<typeof set>) => {
    sets++;
    return set(...call);
  });
  const { silence, heard } = watched();
  for (let word = 0; word < 10_000; word++) {
    silence.end();
    silence.begin(LIMIT);
    vi.advanceTimersByTime(1);
  }
  vi.unstubAllGlobals();
  expect(sets).toBeGreaterThan(5);
  expect(sets).toBeLessThan(25);
  expect(heard).toEqual([]);
  silence.stop();
  vi.advanceTimersByTime(10 * LIMIT);
  expect(heard).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
