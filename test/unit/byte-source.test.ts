import type { Dispatcher } from 'undici';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PushedBytes } from '../../src/model/byte-source.ts';

beforeEach(() => void vi.useFakeTimers());
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

test('what came since the last read comes at once, the end last', async () => {
  const { source, flow } = connectionWith([Buffer.from('a'), Buffer.from('b')]);
  flow();
  expect(String(await source.read())).toBe('ab');
  const next = source.read();
  source.push(Buffer.from('c'));
  expect(String(await next)).toBe('c');
  source.push(Buffer.from('d'));
  source.end(null);
  expect(String(await source.read())).toBe('d');
  expect([await source.read(), await source.read()]).toEqual([null, null]);
});

test('a reader who waits is told the end, or what broke', async () => {
  const [ended, broken] = [connectionWith([]).source, connectionWith([]).source];
  const reads = [ended.read(), broken.read()];
  ended.end(null);
  broken.end(new Error('reset'));
  expect(await reads[0]).toBeNull();
  await expect(reads[1]).rejects.toThrow('reset');
  await expect(broken.read()).rejects.toThrow('reset');
});

test('a slow reader makes the connection wait, again and again, and is given everything', async () => {
  const blocks = [...'abcdefghijklmnopqrst'].map((letter) => block(letter));
  const { source, told, flow } = connectionWith(blocks);
  flow();
  expect(blocks.length).toBe(17); // more than 256 KiB wait
  const sizes: number[] = [];
  while (sizes.reduce((sum, size) => sum + size, 0) < 2_000_000)
    sizes.push((await source.read())?.length ?? 0);
  expect(Math.max(...sizes)).toBeLessThan(400_000);
  expect(told.slice(0, 5)).toEqual(['pause', 'resume', 'pause', 'resume', 'pause']);
});

test('closing aborts the connection once, and a reader who waits hears of it', async () => {
  const { source, told } = connectionWith([]);
  const read = source.read();
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
  ending.source.end(null);
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
