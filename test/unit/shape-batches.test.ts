import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { shapeBatches } from '../../src/engine/following/shape-batches.ts';
import type { EventType, ResponseEvent } from '../../src/protocol/events.ts';
import { newItemId } from '../../src/protocol/ids.ts';
import { INITIAL_STATE } from '../../src/protocol/response.ts';
import { abortable } from '../../src/util/async-iteration.ts';

const itemId = newItemId('msg');
const place = { itemId, outputIndex: 0, contentIndex: 0 };
const started = (sequenceNumber: number): ResponseEvent => ({
  type: 'response.in_progress',
  state: INITIAL_STATE,
  sequenceNumber,
});
const ended = (sequenceNumber: number): ResponseEvent => ({
  type: 'response.completed',
  state: { ...INITIAL_STATE, status: 'completed' },
  sequenceNumber,
});
const delta = (sequenceNumber: number, contentIndex = 0): ResponseEvent => ({
  type: 'response.output_text.delta',
  ...place,
  contentIndex,
  delta: `${sequenceNumber} `,
  logprobs: null,
  sequenceNumber,
});
const done = (sequenceNumber: number): ResponseEvent => ({
  type: 'response.output_text.done',
  ...place,
  text: '',
  sequenceNumber,
});

/** A source that gives what it is told to, and knows whether it was left. */
function createSource() {
  const queue: (readonly ResponseEvent[] | Error | 'end')[] = [];
  let bell = Promise.withResolvers<void>();
  const state = { released: 0, asked: 0 };
  const batches = abortable<readonly ResponseEvent[]>(async function* (signal) {
    const wake = () => bell.resolve();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        state.asked++;
        const given = queue.shift();
        if (given === 'end') return;
        if (given instanceof Error) throw given;
        if (given !== undefined) yield given;
        else {
          await bell.promise;
          bell = Promise.withResolvers();
        }
      }
    } finally {
      state.released++;
    }
  });
  return {
    batches,
    state,
    give: (...given: (readonly ResponseEvent[] | Error | 'end')[]) => {
      queue.push(...given);
      bell.resolve();
    },
  };
}

/** Starts reading; `seen` grows by what has come: number and text of each event. */
function read(batches: AsyncGenerator<readonly ResponseEvent[], void>) {
  const seen: (number | string)[] = [];
  const over = (async () => {
    for await (const batch of batches) {
      expect(batch.length).toBeGreaterThan(0);
      for (const event of batch)
        seen.push('delta' in event ? `${event.sequenceNumber}: ${event.delta}` : event.sequenceNumber);
    }
  })();
  over.catch(() => {});
  return { seen, over };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const passing = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

test('adjacent deltas become one, with the number of the last, once their time is over', async () => {
  const { batches, give } = createSource();
  const { seen } = read(shapeBatches(batches, { types: null, coalesceMs: 100 }));
  give([started(0)], [delta(1)]);
  await passing(60);
  give([delta(2), delta(3)]);
  await passing(39);
  expect(seen).toEqual([0]);
  await passing(1);
  expect(seen).toEqual([0, '3: 1 2 3 ']);
  give([delta(4)]);
  await passing(99);
  expect(seen).toHaveLength(2);
  await passing(1);
  expect(seen[2]).toBe('4: 4 ');
});

test('what cannot be joined comes at once, behind what was held', async () => {
  const { batches, give } = createSource();
  const { seen, over } = read(shapeBatches(batches, { types: null, coalesceMs: 1000 }));
  give([delta(1)], [delta(2), done(3)]);
  await passing(0);
  expect(seen).toEqual(['2: 1 2 ', 3]);
  give([delta(4), delta(5, 1), delta(6, 1)]);
  await passing(0);
  expect(seen.slice(2)).toEqual(['4: 4 ']);
  give([ended(7)], 'end');
  await over;
  expect(seen.slice(3)).toEqual(['6: 5 6 ', 7]);
  expect(vi.getTimerCount()).toBe(0);
});

test('a delta that follows another one has a time of its own', async () => {
  const { batches, give } = createSource();
  const { seen } = read(shapeBatches(batches, { types: null, coalesceMs: 100 }));
  give([delta(1)]);
  await passing(90);
  give([delta(2, 1)]);
  await passing(99);
  expect(seen).toEqual(['1: 1 ']);
  await passing(1);
  expect(seen).toEqual(['1: 1 ', '2: 2 ']);
});

test('types are left out before deltas are joined, those of the lifecycle never', async () => {
  const { batches, give } = createSource();
  const types = new Set<EventType>(['response.output_text.delta']);
  const { seen, over } = read(shapeBatches(batches, { types, coalesceMs: 100 }));
  give([started(0), delta(1)], [done(2)], [delta(3)], [ended(4)], 'end');
  await over;
  expect(seen).toEqual([0, '3: 1 3 ', 4]);
});

test('a batch of which everything is wanted stays the one that others are given', async () => {
  const source = createSource();
  const types = new Set<EventType>(['response.output_text.delta']);
  const deltas = [delta(0), delta(1), ended(3)];
  source.give(deltas, [delta(4), done(5)], 'end');
  const batches = await Array.fromAsync(shapeBatches(source.batches, { types, coalesceMs: 0 }));
  expect(batches).toEqual([deltas, [delta(4)]]);
  expect(batches[0]).toBe(deltas);
});

test.each([null, new Set<EventType>(['response.output_text.delta'])])(
  'with 0 nothing is joined and no timer is set (%o)',
  async (types) => {
    const { batches, give } = createSource();
    const { seen, over } = read(shapeBatches(batches, { types, coalesceMs: 0 }));
    give([started(0), delta(1), delta(2)], [delta(3)]);
    await passing(0);
    expect(seen).toEqual([0, '1: 1 ', '2: 2 ', '3: 3 ']);
    expect(vi.getTimerCount()).toBe(0);
    give([ended(4)], 'end');
    await over;
  },
);

test('an error of the source comes behind what was held', async () => {
  const { batches, give, state } = createSource();
  const { seen, over } = read(shapeBatches(batches, { types: null, coalesceMs: 1000 }));
  give([delta(1)], new Error('broke'));
  await expect(over).rejects.toThrow('broke');
  expect(seen).toEqual(['1: 1 ']);
  expect(state.released).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([
  ['filtered', { types: new Set<EventType>(), coalesceMs: 0 }],
  ['joined', { types: null, coalesceMs: 1000 }],
  ['both', { types: new Set<EventType>(['response.output_text.delta'] as const), coalesceMs: 1000 }],
])('leaving releases the source and the timer at once, in whatever state (%s)', async (_, shape) => {
  for (const given of [[], [delta(1)], [started(0)]]) {
    const { batches, give, state } = createSource();
    const shaped = shapeBatches(batches, shape);
    const waiting = shaped.next();
    if (given.length > 0) give(given);
    await passing(0);
    await shaped.return();
    await waiting;
    expect(state.released).toBe(1);
    expect(await shaped.next()).toEqual({ done: true, value: undefined });
    expect(vi.getTimerCount()).toBe(0);
  }
});

test('while nobody reads, at most one batch is taken from the source', async () => {
  const { batches, give, state } = createSource();
  const shaped = shapeBatches(batches, { types: null, coalesceMs: 10 });
  give([started(0)], [started(1)], [started(2)], [started(3)]);
  await shaped.next();
  await passing(100);
  expect(state.asked).toBeLessThanOrEqual(2);
  await shaped.return();
});

test.each([-1, 1001, 1.5, Number.NaN])('a time of %d is refused by name', (coalesceMs) => {
  const { batches } = createSource();
  expect(() => shapeBatches(batches, { types: null, coalesceMs })).toThrow(
    expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining('coalesceMs') }),
  );
});
