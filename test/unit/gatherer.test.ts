import { expect, test } from 'vitest';
import { Gatherer } from '../../src/util/gatherer.ts';

/** Works that the test ends one by one. Two may be under way at once, of at most three jobs with different letters. */
function start() {
  const begun: { readonly jobs: readonly string[]; readonly end: PromiseWithResolvers<readonly string[]> }[] =
    [];
  const gatherer = new Gatherer<string, string>({
    atOnce: 2,
    fits: (job, others) => others.length < 3 && !others.some((other) => other[0] === job[0]),
    work: (jobs) => {
      const end = Promise.withResolvers<readonly string[]>();
      begun.push({ jobs, end });
      return end.promise;
    },
  });
  const add = (...jobs: readonly string[]) => jobs.map((job) => gatherer.add(job));
  const groups = () => begun.map(({ jobs }) => jobs.join(' '));
  const finish = (place: number) => begun[place]?.end.resolve(begun[place].jobs.map((job) => `${job} done`));
  return { add, groups, finish, begun };
}

test('a job goes at once while there is room; what comes then goes together, and each gets its own result', async () => {
  const { add, groups, finish } = start();
  const jobs = add('a', 'b', 'c', 'd');
  expect(groups()).toEqual(['a', 'b']);
  finish(0);
  expect(await jobs[0]).toBe('a done');
  expect(groups()).toEqual(['a', 'b', 'c d']);
  finish(1);
  finish(2);
  expect(await Promise.all(jobs)).toEqual(['a done', 'b done', 'c done', 'd done']);
  add('e');
  expect(groups()).toEqual(['a', 'b', 'c d', 'e']);
});

test('jobs that do not fit wait for the next group, in their order', async () => {
  const { add, groups, finish } = start();
  add('x', 'y');
  const [, second] = add('a1', 'a2', 'b', 'a3', 'c', 'd');
  finish(0);
  await expect.poll(groups).toEqual(['x', 'y', 'a1 b c']);
  finish(1);
  await expect.poll(groups).toEqual(['x', 'y', 'a1 b c', 'a2 d']);
  finish(3);
  expect(await second).toBe('a2 done');
  await expect.poll(groups).toEqual(['x', 'y', 'a1 b c', 'a2 d', 'a3']);
});

test('when work fails, its jobs fail, and the others go on', async () => {
  const { add, groups, finish, begun } = start();
  const jobs = add('a', 'b', 'c', 'd', 'e');
  begun[0]?.end.reject(new Error('no'));
  await expect(jobs[0]).rejects.toThrow('no');
  await expect.poll(groups).toEqual(['a', 'b', 'c d e']);
  begun[2]?.end.reject(new Error('nor this'));
  expect((await Promise.allSettled(jobs.slice(2))).map(({ status }) => status)).toEqual(
    Array(3).fill('rejected'),
  );
  finish(1);
  expect(await jobs[1]).toBe('b done');
});
