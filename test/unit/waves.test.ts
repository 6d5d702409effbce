import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createWaves, type Waves } from '../../src/graphql/waves.ts';

/** A query that comes back when the test says so. */
function openQuery(waves: Waves) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { answer: waves.awaited(() => promise), resolve, reject };
}

test('what is asked for in one step goes together, as soon as that is over', async () => {
  const waves = createWaves();
  const sent: string[] = [];
  waves.join(() => sent.push('a'));
  await Promise.resolve().then(() => waves.join(() => sent.push('b')));
  expect(sent).toEqual([]);
  await nextTurn();
  expect(sent).toEqual(['a', 'b']);
});

test('while queries are under way the next wave gathers, until the last of them has come back', async () => {
  const waves = createWaves();
  const [quick, slow] = [openQuery(waves), openQuery(waves)];
  const sent: string[] = [];
  const asking = quick.answer.then((answer) => waves.join(() => sent.push(`after ${answer}`)));
  quick.resolve('quick');
  await asking;
  await nextTurn();
  expect(sent).toEqual([]);
  const askingToo = slow.answer.then((answer) => waves.join(() => sent.push(`after ${answer}`)));
  slow.resolve('slow');
  await askingToo;
  await nextTurn();
  expect(sent).toEqual(['after quick', 'after slow']);
});

test('a query that fails holds nothing up', async () => {
  const waves = createWaves();
  const [failing, throwing] = [openQuery(waves), waves.awaited(() => thrown('at once'))];
  const sent: string[] = [];
  waves.join(() => sent.push('next'));
  await expect(throwing).rejects.toThrow('at once');
  await nextTurn();
  expect(sent).toEqual([]);
  failing.reject(new Error('later'));
  await expect(failing.answer).rejects.toThrow('later');
  await nextTurn();
  expect(sent).toEqual(['next']);
});

function thrown(message: string): never {
  throw new Error(message);
}
