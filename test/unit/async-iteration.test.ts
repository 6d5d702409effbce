import { expect, test } from 'vitest';
import { abortable, Bell } from '../../src/util/async-iteration.ts';

test('return() ends an iterator that waits for something that never comes', async () => {
  const log: string[] = [];
  const iterator = abortable<number>(async function* (signal) {
    try {
      yield 1;
      await new Promise<void>((resolve) => signal.addEventListener('abort', resolve));
      log.push('woken');
    } finally {
      log.push('released');
    }
  });
  expect(await iterator.next()).toEqual({ done: false, value: 1 });
  const waiting = iterator.next();
  expect(await iterator.return()).toEqual({ done: true, value: undefined });
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(log).toEqual(['woken', 'released']);
});

test('returning twice, before the start and after the end does no harm', async () => {
  let released = 0;
  const make = () =>
    abortable<number>(async function* () {
      try {
        yield 1;
      } finally {
        released++;
      }
    });
  const unstarted = make();
  await Promise.all([unstarted.return(), unstarted.return()]);
  expect(await unstarted.next()).toEqual({ done: true, value: undefined });
  expect(released).toBe(0);
  const ended = make();
  expect(await Array.fromAsync(ended)).toEqual([1]);
  await ended.return();
  expect(released).toBe(1);
});

test('a loop that breaks, and await using, release the source', async () => {
  const released: string[] = [];
  const make = (name: string) =>
    abortable<number>(async function* (signal) {
      signal.addEventListener('abort', () => released.push(name));
      for (let number = 0; ; number++) yield number;
    });
  for await (const number of make('loop')) if (number === 2) break;
  {
    await using iterator = make('using');
    await iterator.next();
  }
  expect(released).toEqual(['loop', 'using']);
});

test('every listener hears once that the consumer has left, unless it was taken off', async () => {
  const heard: string[] = [];
  const iterator = abortable<boolean>(async function* (signal) {
    const taken = () => heard.push('taken off');
    for (const name of ['first', 'second']) signal.addEventListener('abort', () => heard.push(name));
    signal.addEventListener('abort', taken);
    signal.removeEventListener('abort', taken);
    signal.throwIfAborted();
    yield signal.aborted;
  });
  expect(await iterator.next()).toEqual({ done: false, value: false });
  await Promise.all([iterator.return(), iterator.return()]);
  expect(heard).toEqual(['first', 'second']);
});

test('an error of the source reaches whoever reads', async () => {
  const iterator = abortable<number>(async function* () {
    yield 1;
    throw new Error('broke');
  });
  await iterator.next();
  await expect(iterator.next()).rejects.toThrow('broke');
});

test('a bell that rang before the wait counts once, however often it rang', async () => {
  const bell = new Bell();
  bell.wake();
  bell.wake();
  await bell.wait();
  let woken = false;
  const waiting = bell.wait().then(() => {
    woken = true;
  });
  await new Promise(setImmediate);
  expect(woken).toBe(false);
  bell.wake();
  await waiting;
  expect(woken).toBe(true);
});
