import { expect, test } from 'vitest';
import { oneAtATime } from '../../src/util/one-at-a-time.ts';

/** Work that the test lets end, turn by turn. */
function turns() {
  const begun: PromiseWithResolvers<void>[] = [];
  const ask = oneAtATime(() => {
    const turn = Promise.withResolvers<void>();
    begun.push(turn);
    return turn.promise;
  });
  return { begun, ask };
}

test('asked for while it is under way, work is done once more after that, however often it was asked for', async () => {
  const { begun, ask } = turns();
  const first = ask();
  const more = [ask(), ask(), ask()];
  expect(begun).toHaveLength(1);
  begun[0]?.resolve();
  await first;
  await expect.poll(() => begun.length).toBe(2);
  begun[1]?.resolve();
  await Promise.all(more);
  expect(begun).toHaveLength(2);
});

test('whoever asks waits for work that began after the asking', async () => {
  const { begun, ask } = turns();
  let isDone = false;
  const first = ask();
  const second = ask().then(() => {
    isDone = true;
  });
  begun[0]?.resolve();
  await first;
  await expect.poll(() => begun.length).toBe(2);
  expect(isDone).toBe(false);
  begun[1]?.resolve();
  await second;
  const third = ask();
  expect(begun).toHaveLength(3);
  begun[2]?.resolve();
  await third;
});
