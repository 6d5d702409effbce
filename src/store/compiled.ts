import type { SQL } from 'drizzle-orm';
import type postgres from 'postgres';
import { PgDialect } from './drizzle.ts';
import type { Statement } from './tenants/tenant-connection.ts';

const DIALECT = new PgDialect();

/** A statement put together from parts. Not prepared: it is planned for its very values each time. */
export function compiled<Row extends postgres.MaybeRow>(query: SQL): Statement<Row[]> {
  const { sql: text, params } = DIALECT.sqlToQuery(query);
  const values = params.map((value) =>
    typeof value === 'number' || typeof value === 'boolean' ? value : String(value),
  );
  return (sql) => sql.unsafe<Row[]>(text, values);
}
