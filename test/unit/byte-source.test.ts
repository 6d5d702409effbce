import type { Dispatcher } from 'undici';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PushedBytes } from '../../src/model/byte-source.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A connection that pushes what it has as soon as it may, as undici's does, and what it was told. */
function connectionWith(blocks: Buffer[]) {
  const told: string[] = [];
  let isPaused = false;
  const controller: Dispatcher.DispatchController = {
    aborted: false,
    paused: false,
    reason: null,
    rawHeaders: null,
    rawTrailers: null,
    abort: (reason) => void told.push(`abort: ${reason.message}`),
    pause: () => {
      if (!isPaused) told.push('pause');
      isPaused = true;
    },
    resume: () => {
      told.push('resume');
      isPaused = false;
      flow();
    },
  };
  const source = new PushedBytes(controller);
  const flow = () => {
    while (!isPaused && blocks.length > 0) source.push(blocks.shift() ?? Buffer.alloc(0));
  };
  return { source, told, flow };
}

const block = (letter: string, size = 100_000) => Buffer.alloc(size, letter);

/** Reads a source; what was taken, and when more may be. */
function reading(source: PushedBytes, room: () => Promise<void> | null = () => null) {
  const taken: Buffer[] = [];
  const over = source.read((bytes) => {
    taken.push(bytes);
    return room();
  });
  return { taken, over };
}

test('what came before comes at once, then what comes in each read as one piece, and the end last', async () => {
  const { source, flow } = connectionWith([Buffer.from('a'), Buffer.from('b')]);
  flow();
  const { taken, over } = reading(source);
  expect(taken.map(String)).toEqual(['ab']);
  source.push(Buffer.from('c'));
  source.push(Buffer.from('d'));
  expect(taken.map(String)).toEqual(['ab']);
  await Promise.resolve();
  expect(taken.map(String)).toEqual(['ab', 'cd']);
  source.push(Buffer.from('e'));
  await Promise.resolve();
  source.push(Buffer.from('f'));
  source.finish();
  expect(taken.map(String)).toEqual(['ab', 'cd', 'e', 'f']);
  await over;
});

test('what waits is read before the end is told, and before what broke', async () => {
  for (const error of [null, new Error('reset')]) {
    const { source, flow } = connectionWith([Buffer.from('a')]);
    flow();
    source.finish(error);
    const { taken, over } = reading(source);
    if (error === null) await over;
    else await expect(over).rejects.toThrow('reset');
    expect(taken.map(String)).toEqual(['a']);
  }
});

test('a reader who waits is told what broke', async () => {
  const { source } = connectionWith([]);
  const { over } = reading(source);
  source.finish(new Error('reset'));
  await expect(over).rejects.toThrow('reset');
});

test('a slow reader makes the connection wait, again and again, and is given everything', async () => {
  const blocks = [...'abcdefghijklmnopqrst'].map((letter) => block(letter));
  const { source, told, flow } = connectionWith(blocks);
  flow();
  expect(blocks.length).toBe(17); // more than 256 KiB wait
  const { promise: first, resolve: goOn } = Promise.withResolvers<void>();
  let isFirst = true;
  const { taken, over } = reading(source, () => {
    const room = isFirst ? first : Promise.resolve();
    isFirst = false;
    return room;
  });
  expect(blocks.length).toBe(14); // as much again, for a reader that has no room
  goOn();
  await vi.waitUntil(() => Buffer.concat(taken).length === 2_000_000);
  source.finish();
  await over;
  expect(Math.max(...taken.map(({ length }) => length))).toBeLessThan(400_000);
  expect(told.slice(0, 5)).toEqual(['pause', 'resume', 'pause', 'resume', 'pause']);
});

test('what the reader throws closes the connection, and the reader hears of it', async () => {
  const { source, told } = connectionWith([]);
  const over = source.read(() => {
    throw new Error('no');
  });
  source.push(Buffer.from('a'));
  source.push(Buffer.from('b'));
  await expect(over).rejects.toThrow('no');
  expect(told).toEqual(['abort: Closed by its reader.']);
});

test('closing aborts the connection once, and a reader who waits hears of it', async () => {
  const { source, told } = connectionWith([]);
  const { over: read } = reading(source);
  source.close();
  source.close();
  source.leave();
  await expect(read).rejects.toThrow('Closed by its reader.');
  expect(told).toEqual(['abort: Closed by its reader.']);
});

test('what is left and ends in time is not aborted; what does not, after a second', () => {
  const [ending, endless] = [connectionWith([]), connectionWith([])];
  for (const { source } of [ending, endless]) {
    source.leave();
    source.leave();
    source.push(block('x', 1_000_000)); // kept by nobody
  }
  vi.advanceTimersByTime(900);
  ending.source.finish();
  vi.advanceTimersByTime(99);
  expect(endless.told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(endless.told).toEqual(['abort: Closed by its reader.']);
  vi.runAllTimers();
  expect(ending.told).toEqual([]);
});

test('a paused connection that is left goes on, so that it can end', () => {
  const { source, told, flow } = connectionWith([...'abcdef'].map((letter) => block(letter)));
  flow();
  expect(told).toEqual(['pause']);
  source.leave();
  expect(told).toEqual(['pause', 'resume']);
});
