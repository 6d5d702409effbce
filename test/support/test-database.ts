import postgres from 'postgres';
import { inject } from 'vitest';

/** A database of the test's own, with all migrations, dropped at the end. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly sql: postgres.Sql;
}

let count = 0;
let admin: postgres.Sql | undefined;

/** The next one is made while a test uses the last: that takes longer than many tests. */
let next: Promise<string> | undefined;

export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  admin ??= postgres(`${server}postgres`, { max: 3, idle_timeout: 2, onnotice: () => {} });
  const own = admin;
  const taken = next ?? make(own);
  next = make(own);
  next.catch(() => {}); // it is told to whoever takes it
  const name = await taken;
  const url = `${server}${name}`;
  const sql = postgres(url, { max: 2, onnotice: () => {} });
  return {
    url,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end();
      await own`drop database if exists ${own(name)} with (force)`;
    },
  };
}

/** The setup of the suite drops what bears this name and is left. */
async function make(own: postgres.Sql): Promise<string> {
  const template = inject('templateDatabase');
  const name = `${template}_${process.pid}_${count++}`;
  await own`create database ${own(name)} template ${own(template)}`;
  return name;
}
