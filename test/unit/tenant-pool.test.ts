import { setImmediate as nextTurn } from 'node:timers/promises';
import type postgres from 'postgres';
import { expect, test, vi } from 'vitest';
import { isCancelled, isDatabaseAway, isOutcomeUnknown, openDatabase } from '../../src/store/database.ts';
import { startDatabaseProxy } from '../support/database-proxy.ts';
import { startForgetfulFirewall } from '../support/forgetful-firewall.ts';
import { createTestDatabase } from '../support/test-database.ts';

const settingOf = (tenant: string) => (sql: postgres.Sql) =>
  sql<{ tenant: string; role: string }[]>`
  select current_setting('app.tenant') as tenant, current_user as role, ${tenant}::text as asked`;

/** Something that callers may write, and that shows whether it was written. */
const useKey = (tenant: string, key: string) => (sql: postgres.Sql) =>
  sql`
  insert into idempotency_keys (tenant, key, input_hash, response_id) values (${tenant}, ${key}, 'hash', 'resp')`;

const NAMES = ['default', "o'brien", 'back\\slash', "\\'; set role postgres; --", '🔑', 'a b', '"', '$1'];

test.each([null, "o'brien", "\\'; set role postgres; --"])(
  'each statement has the tenant that it is run for, whatever its name and whoever goes before it (at home: %s)',
  async (home) => {
    await using place = await createTestDatabase();
    const database = openDatabase(place.url, home);
    const asked = Array.from({ length: 400 }, (_, index) => NAMES[index % NAMES.length] ?? '');
    const failing = (index: number) => index % 7 === 3;
    const answers = await Promise.all(
      asked.map((tenant, index) =>
        failing(index)
          ? database
              .as({ tenant }, (sql) => sql`select 1 / ${0}::int`)
              .then(
                () => 'done',
                () => 'refused',
              )
          : database.as({ tenant }, settingOf(tenant)),
      ),
    );
    for (const [index, answer] of answers.entries()) {
      const tenant = asked[index];
      expect(answer).toEqual(
        failing(index) ? 'refused' : [{ tenant, asked: tenant, role: 'responses_tenant' }],
      );
    }
    await database.close();
  },
);

test.each([null, 'x'])(
  'a plan that is made while there are next to no rows is still good when there are many (at home: %s)',
  async (home) => {
    await using place = await createTestDatabase();
    const database = openDatabase(place.url, home);
    const plan = await database.as(
      { tenant: 'x' },
      (sql) => sql<{ 'QUERY PLAN': string }[]>`
    explain update items set answered_by = a.response from unnest(array['id'], array['resp']) as a (request, response)
    where items.id = a.request`,
    );
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toContain('items_pkey');
    expect(text).not.toContain('Seq Scan');
    await database.close();
  },
);

test.each(['', 'nul\0', 'half \ud83d'])(
  'nothing is run for a tenant that no row can have (%o)',
  async (tenant) => {
    await using place = await createTestDatabase();
    const database = openDatabase(place.url);
    await expect(database.as({ tenant }, settingOf(tenant))).rejects.toThrow('must have a name');
    expect(await database.as({ tenant: 'x' }, settingOf('x'))).toHaveLength(1);
    await database.close();
  },
);

test.each([null, 'two'])(
  'a statement sees and writes rows of its tenant alone, and is refused what the role has no right to (at home: %s)',
  async (home) => {
    await using place = await createTestDatabase();
    const database = openDatabase(place.url, home);
    await database.as({ tenant: 'one' }, useKey('one', 'k'));
    const keys = (tenant: string) =>
      database.as({ tenant }, (sql) => sql`select tenant from idempotency_keys`);
    expect(await keys('one')).toEqual([{ tenant: 'one' }]);
    expect(await keys('two')).toEqual([]);
    await expect(database.as({ tenant: 'two' }, useKey('one', 'l'))).rejects.toThrow('row-level security');
    for (const text of [
      'delete from idempotency_keys',
      'delete from responses',
      "update responses set tenant = 'two'",
      'update processes set ended_at = now()',
      'select * from drizzle.__drizzle_migrations',
      'create table mine ()',
    ]) {
      await expect(
        database.as({ tenant: 'two' }, (sql) => sql.unsafe(text)),
        text,
      ).rejects.toThrow(/permission denied/);
    }
    await database.close();
  },
);

test.each([null, 'slow'])(
  'statements that are cancelled, all at once, leave every connection as it should be (at home: %s)',
  async (home) => {
    await using place = await createTestDatabase();
    const database = openDatabase(place.url, home);
    const slow = Array.from({ length: 10 }, () =>
      database.as({ tenant: 'slow' }, (sql) => sql`select pg_sleep(20)`).catch((error: unknown) => error),
    );
    const cancelled = () => place.sql`
    select pg_cancel_backend(pid) from pg_stat_activity
    where datname = current_database() and query = 'select pg_sleep(20)' and wait_event = 'PgSleep'`;
    let over = 0;
    for (const each of slow) void each.then(() => over++);
    const areOver = async () => {
      await cancelled();
      return over === slow.length;
    };
    await vi.waitUntil(areOver, { timeout: 8000, interval: 10 });
    for (const error of await Promise.all(slow)) expect(isCancelled(error)).toBe(true);
    expect(await database.as({ tenant: 'next' }, settingOf('next'))).toMatchObject([{ tenant: 'next' }]);
    const [open] = await place.sql`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%'`;
    expect(open).toEqual({ count: 0 });
    await database.close();
  },
);

test.each([null, 'x'])(
  'what is no single statement leaves no transaction open and no connection lost (at home: %s)',
  async (home) => {
    await using place = await createTestDatabase();
    const database = openDatabase(place.url, home);
    for (let round = 0; round < 12; round++) {
      const broken = (sql: postgres.Sql) => {
        if (round % 2 === 0) throw new Error('not a statement');
        return sql`select ${undefined as unknown as string}::text`;
      };
      await expect(database.as({ tenant: 'x' }, broken)).rejects.toThrow(/not a statement|[Uu]ndefined/);
    }
    expect(await database.as({ tenant: 'x' }, settingOf('x'))).toHaveLength(1);
    await expect
      .poll(
        () => place.sql`select 1 from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%'`,
        { timeout: 4000 },
      )
      .toEqual([]);
    await database.close();
  },
);

test.each([
  ['lost before it is done', null],
  ['done, and nobody is told', null],
  ['lost before it is done', 'x'],
  ['done, and nobody is told', 'x'],
])('a commit that is %s is not taken for a success (at home: %s)', async (how, home) => {
  await using place = await createTestDatabase();
  await using proxy = await startDatabaseProxy(place.url);
  const database = openDatabase(proxy.url, home);
  await database.as({ tenant: 'x' }, settingOf('x'));
  // What is new to the connection is asked about first, so that the commit travels by itself.
  const told = how.startsWith('done');
  const commit = home === null ? 'commit' : 'the key';
  const met = told ? proxy.swallowAnswerTo(commit) : proxy.holdBack(commit).then(() => proxy.goAway());
  const outcome = database.as({ tenant: 'x' }, useKey('x', 'the key')).then(
    () => null,
    (error: unknown) => error,
  );
  await met;
  const error = await outcome;
  expect([isOutcomeUnknown(error), isDatabaseAway(error)]).toEqual([true, true]);
  await expect.poll(() => place.sql`select key from idempotency_keys`).toHaveLength(told ? 1 : 0);
  if (!told) await proxy.comeBack();
  expect(await database.as({ tenant: 'y' }, settingOf('y'))).toMatchObject([{ tenant: 'y' }]);
  await database.close();
});

test.each([null, 'default'])(
  'no statement is forgotten or answered for another tenant, however often connections break (at home: %s)',
  async (home) => {
    await using place = await createTestDatabase();
    await using proxy = await startDatabaseProxy(place.url);
    const database = openDatabase(proxy.url, home);
    for (let round = 0; round < 10; round++) {
      const queries = Array.from({ length: 15 }, async (_, index) => {
        const tenant = NAMES[index % NAMES.length] ?? '';
        const rows = await database.as({ tenant }, settingOf(tenant)).catch(() => null);
        if (rows !== null) expect(rows).toMatchObject([{ tenant, asked: tenant }]);
      });
      for (let turn = 0; turn < round; turn++) await nextTurn();
      await proxy.goAway();
      await proxy.comeBack();
      await Promise.all(queries);
    }
    const again = () => database.as({ tenant: 'x' }, settingOf('x')).catch(() => null);
    await expect.poll(again, { timeout: 5000 }).toMatchObject([{ tenant: 'x' }]);
    await database.close();
  },
);

test.each([null, 'x'])(
  'connections for tenants that fall silent by themselves are given up by whoever asks in time (at home: %s)',
  async (home) => {
    await using place = await createTestDatabase();
    await using firewall = await startForgetfulFirewall(place.url);
    const database = openDatabase(firewall.url, home);
    const setting = () => database.as({ tenant: 'x' }, settingOf('x'));
    await Promise.all([setting(), setting()]);
    firewall.forget();
    const unanswered = setting().then(
      () => null,
      (error: unknown) => error,
    );
    const renewed = async () => {
      await database.inTime(database.acrossTenants`select 1`, 200).catch(() => {});
      return Promise.race([unanswered, null]);
    };
    const error = await vi.waitUntil(renewed, { timeout: 8000, interval: 50 });
    expect(isDatabaseAway(error)).toBe(true);
    expect(await setting()).toMatchObject([{ tenant: 'x' }]);
    await database.close();
  },
);
