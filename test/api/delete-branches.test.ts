import { afterAll, beforeAll, expect, test } from 'vitest';
import { branchOf, expectDeleted, remove, rowsOf } from '../support/branches.ts';
import { create } from '../support/graphql.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app[Symbol.asyncDispose]());

const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

test.each(ORDERS)(
  'of a branch deleted in the order %i, %i, %i every row goes when its last continuation has',
  async (...order) => {
    const ids = await branchOf(app, 3);
    const left = new Set([0, 1, 2]);
    for (const index of order) {
      await expectDeleted(app, ids[index] ?? '');
      left.delete(index);
      // Rows stay up to the last turn that is left: its history is what came before.
      const kept = [0, 1, 2].filter((each) => each <= Math.max(-1, ...left));
      expect(await rowsOf(app, ids)).toEqual({ responses: kept, items: kept, events: [...left].sort() });
    }
  },
);

test('a common history goes with the last of its branches', async () => {
  const [root = ''] = await branchOf(app, 1);
  const [one = ''] = await branchOf(app, 1, root);
  const [two = ''] = await branchOf(app, 1, root);
  await expectDeleted(app, root);
  await expectDeleted(app, one);
  expect((await rowsOf(app, [root, one, two])).items).toEqual([0, 2]);
  await expectDeleted(app, two);
  expect((await rowsOf(app, [root, one, two])).items).toEqual([]);
});

test('deleting many at once, parents and children, leaves nothing behind', async () => {
  const ids: string[] = [];
  for (let count = 0; count < 3; count++) {
    const trunk = await branchOf(app, 2);
    ids.push(...trunk, ...(await branchOf(app, 2, trunk[1])), ...(await branchOf(app, 1, trunk[0])));
  }
  const results = await Promise.all(ids.map((id) => remove(app, id)));
  expect(results).toEqual(ids.map((deletedId) => ({ deletedId, errors: [] })));
  expect(await rowsOf(app, ids)).toEqual({ responses: [], items: [], events: [] });
});

test('a continuation that comes while its parent is deleted is refused, or keeps its history', async () => {
  for (let round = 0; round < 10; round++) {
    const [root = ''] = await branchOf(app, 1);
    const next = { input: { text: 'U2' }, previousResponseId: root };
    const [{ response, errors }] = await Promise.all([create(app, next), expectDeleted(app, root)]);
    if (response === null) expect(errors).toMatchObject([{ code: 'PREVIOUS_RESPONSE_NOT_FOUND' }]);
    expect((await rowsOf(app, [root])).items).toEqual(response === null ? [] : [0]);
  }
});
