import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ResponseId } from '../../src/protocol/ids.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { deleteResponse, purgeDeleted } from '../../src/store/delete-response.ts';
import { branchOf, rowsOf } from '../support/branches.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const NOTHING = { responses: [], items: [], events: [] };

let app: TestApp;
let database: Database;

beforeAll(async () => {
  app = await startTestApp({ timing: { lease: { leaseMs: 60_000, renewMs: 60_000, sweepMs: 3_600_000 } } });
  database = openDatabase(app.database.url);
});

afterAll(async () => {
  await database.close();
  await app[Symbol.asyncDispose]();
});

const LOSSES = ['before it has done', 'after it has done'] as const;

/** The same database; each statement, counted from 1, is run as `wrap` says. */
function wrapped(wrap: (count: number, run: () => Promise<unknown>) => Promise<unknown>): Database {
  let count = 0;
  const as: Database['as'] = (scope, statement) =>
    wrap(++count, () => database.as(scope, statement)) as ReturnType<typeof database.as<never>>;
  const acrossTenants = new Proxy(database.acrossTenants, {
    apply: (target, self, values) => wrap(++count, async () => Reflect.apply(target, self, values)),
  });
  return { ...database, as, acrossTenants };
}

/** The connection is lost at a statement: nobody learns whether that was done. */
function losesConnection(at: number, when: (typeof LOSSES)[number]): Database {
  return wrapped(async (count, run) => {
    if (count !== at) return run();
    if (when === 'after it has done') await run();
    throw Object.assign(new Error('The connection is lost.'), { code: 'ECONNRESET' });
  });
}

async function remove(id: string, { isHeard = false, by = database } = {}): Promise<void> {
  const outcome = await deleteResponse(by, { tenant: 'default' }, { id: id as ResponseId, isHeard });
  expect(outcome).toBe('deleted');
}

/** Nobody reads any more how these ended. */
async function age(ids: readonly string[]): Promise<void> {
  const { sql } = app.database;
  await sql`update responses set deleted_at = deleted_at - interval '1 hour' where id in ${sql(ids)}`;
}

const statements = (...numbers: readonly number[]) =>
  LOSSES.flatMap((when) => numbers.map((at) => [at, when] as const));

test.each(statements(2, 3))(
  'the rows of a deleted branch go although its deletion lost the connection at statement %i, %s its work',
  async (at, when) => {
    const [root = '', leaf = ''] = await branchOf(app, 2);
    await remove(root);
    await remove(leaf, { by: losesConnection(at, when) });
    await age([root, leaf]);
    await purgeDeleted(database);
    expect(await rowsOf(app, [root, leaf])).toEqual(NOTHING);
  },
);

test.each(statements(1, 2, 3, 4, 5))(
  'the rows of a deleted branch go although the purge lost the connection at statement %i, %s its work',
  async (at, when) => {
    const ids = await branchOf(app, 2);
    for (const id of ids) await remove(id, { isHeard: true });
    await age(ids);
    await expect(purgeDeleted(losesConnection(at, when))).rejects.toThrow('lost');
    await purgeDeleted(database);
    expect(await rowsOf(app, ids)).toEqual(NOTHING);
  },
);

test('two continuations of a deleted response that are deleted at once leave nothing', async () => {
  for (let round = 0; round < 10; round++) {
    const [root = ''] = await branchOf(app, 1);
    const leaves = [...(await branchOf(app, 1, root)), ...(await branchOf(app, 1, root))];
    await remove(root);
    await Promise.all(leaves.map((id) => remove(id)));
    expect(await rowsOf(app, [root, ...leaves])).toEqual(NOTHING);
  }
});

test('two continuations of a deleted response that are purged at once leave nothing', async () => {
  for (let round = 0; round < 10; round++) {
    const [root = ''] = await branchOf(app, 1);
    const leaves = [...(await branchOf(app, 1, root)), ...(await branchOf(app, 1, root))];
    const ids = [root, ...leaves];
    for (const id of ids) await remove(id, { isHeard: true });
    await age(ids);
    await Promise.all([purgeDeleted(database), purgeDeleted(database)]);
    expect(await rowsOf(app, ids)).toEqual(NOTHING);
  }
});

test('a deleted response goes although its last continuation went just when the one before it found that one there', async () => {
  const [root = ''] = await branchOf(app, 1);
  const [one = ''] = await branchOf(app, 1, root);
  const [two = ''] = await branchOf(app, 1, root);
  await remove(root);
  // The third statement finds the root needed, the fourth says so.
  const overtaken = wrapped(async (count, run) => {
    if (count === 4) await remove(two, { by: losesConnection(3, 'before it has done') });
    return run();
  });
  await remove(one, { by: overtaken });
  await age([root]);
  await purgeDeleted(database);
  expect(await rowsOf(app, [root, one, two])).toEqual(NOTHING);
});

test.each([false, true])(
  'a deleted response that a continuation needs loses its log, keeps its items, and goes with it (heard: %s)',
  async (isHeard) => {
    const ids = await branchOf(app, 2);
    const [root = '', leaf = ''] = ids;
    await remove(root, { isHeard });
    expect((await rowsOf(app, ids)).events).toEqual(isHeard ? [0, 1] : [1]);
    await age(ids);
    await purgeDeleted(database);
    expect(await rowsOf(app, ids)).toEqual({ responses: [0, 1], items: [0, 1], events: [1] });
    await remove(leaf, { isHeard });
    await age(ids);
    await purgeDeleted(database);
    expect(await rowsOf(app, ids)).toEqual(NOTHING);
  },
);
