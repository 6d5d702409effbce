import postgres from 'postgres';
import { inject } from 'vitest';

/** A database of the test's own, with all migrations, dropped at the end. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly sql: postgres.Sql;
}

let count = 0;

export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `responses_test_${process.pid}_${count++}`;
  const admin = postgres(`${server}postgres`, { max: 1, onnotice: () => {} });
  await admin`create database ${admin(name)} template ${admin(inject('templateDatabase'))}`;
  const url = `${server}${name}`;
  const sql = postgres(url, { max: 2, onnotice: () => {} });
  return {
    url,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end();
      await admin`drop database if exists ${admin(name)} with (force)`;
      await admin.end();
    },
  };
}
