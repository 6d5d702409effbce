import { expect, test } from 'vitest';
import { EVERYBODY } from '../../src/protocol/caller.ts';
import { letsAllIn } from '../../src/server/auth/authenticator.ts';
import { Places } from '../../src/server/auth/places.ts';
import { createSeats, type Seat } from '../../src/server/auth/seats.ts';
import { abortable } from '../../src/util/async-iteration.ts';

/** A stream that says one word, then nothing for as long as it is followed. */
function quietStream() {
  return abortable<string>(async function* (signal) {
    yield 'word';
    await new Promise<void>((resolve) => signal.addEventListener('abort', resolve));
  });
}

/** One seat for everybody, and a caller whose right to it ends when it is told so. */
function oneSeat() {
  const gone = new AbortController();
  let end = () => {};
  const watch = (_: unknown, onEnd: () => void) => {
    end = onEnd;
    return () => {};
  };
  const seats = createSeats(new Places(1), { ...letsAllIn, watch });
  // Of the context a seat needs no more than this.
  const context = { caller: EVERYBODY, signal: gone.signal, isOverSocket: false } as Parameters<
    typeof seats.take
  >[0];
  const take = (): Seat | null => {
    const seat = seats.take(context);
    return 'errors' in seat ? null : seat;
  };
  return { take, leave: () => gone.abort(), endRight: () => end() };
}

test('a seat is free again when its stream ends, however that comes', async () => {
  const { take } = oneSeat();
  const first = take()?.hold(quietStream());
  expect(take()).toBeNull();
  expect(await first?.next()).toEqual({ done: false, value: 'word' });
  const quiet = first?.next();
  await first?.return();
  expect(await quiet).toMatchObject({ done: true });
  const second = take();
  second?.leave();
  second?.leave();
  expect(take()).not.toBeNull();
  expect(take()).toBeNull();
});

test('a stream whose caller has left is ended, also one that begins only then', async () => {
  const { take, leave } = oneSeat();
  const seat = take();
  const stream = seat?.hold(quietStream());
  await stream?.next();
  const quiet = stream?.next();
  leave();
  expect(await quiet).toMatchObject({ done: true });
  const late = take();
  expect(await late?.hold(quietStream()).next()).toMatchObject({ done: true });
  expect(take()).not.toBeNull();
});

test('a stream breaks when the right of its caller ends, also before it has begun', async () => {
  const { take, endRight } = oneSeat();
  const error = { extensions: { code: 'UNAUTHENTICATED' } };
  const stream = take()?.hold(quietStream());
  await stream?.next();
  const quiet = stream?.next();
  endRight();
  await expect(quiet).rejects.toMatchObject(error);
  const seat = take();
  endRight();
  await expect(seat?.hold(quietStream()).next()).rejects.toMatchObject(error);
  expect(take()).not.toBeNull();
});
