import { createRequire } from 'node:module';

/**
 * Drizzle as CommonJS: its package.json has 180 KB, and Node reads that anew for each of the hundred modules that `import`
 * would load, which makes a quarter of a start.
 */
const load = createRequire(import.meta.url);

const orm: typeof import('drizzle-orm') = load('drizzle-orm');
export const { eq, inArray, isNotNull, isNull, sql } = orm;

const pgCore: typeof import('drizzle-orm/pg-core') = load('drizzle-orm/pg-core');
export const {
  alias,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  PgDialect,
  pgPolicy,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} = pgCore;

const postgresJs: typeof import('drizzle-orm/postgres-js') = load('drizzle-orm/postgres-js');
export const { drizzle } = postgresJs;

const migrator: typeof import('drizzle-orm/postgres-js/migrator') = load('drizzle-orm/postgres-js/migrator');
export const { migrate } = migrator;
