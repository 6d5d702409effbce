import type { Clockwork } from './database.ts';

/** A key that lets its holder in. */
export interface ValidKey {
  readonly id: string;
  readonly tenant: string;
  /** SHA-256 of the key, in hex. */
  readonly hash: string;
  readonly expiresAt: Date | null;
}

/** A key that is to be. */
export interface NewKey extends ValidKey {
  readonly name: string;
}

/** What people may know of a key. */
export interface KeyRow extends Omit<NewKey, 'hash'> {
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

/** Of these hashes those of keys that are neither revoked nor expired. */
export async function findValidKeys(
  { acrossTenants: sql }: Clockwork,
  hashes: readonly string[],
): Promise<readonly ValidKey[]> {
  const rows = await sql<Timed<ValidKey>[]>`
    select id, tenant, hash, ${milliseconds(sql, 'expires_at')} as "expiresAt" from api_keys
    where hash = any(${hashes}::text[]) and revoked_at is null and (expires_at is null or expires_at > now())`;
  return rows.map((row) => ({ ...row, expiresAt: toDate(row.expiresAt) }));
}

/** Of these ids those of keys that still let their holders in. */
export async function stillValid(
  { acrossTenants: sql }: Clockwork,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql<{ readonly id: string }[]>`
    select id from api_keys
    where id = any(${ids}::text[]) and revoked_at is null and (expires_at is null or expires_at > now())`;
  return new Set(rows.map(({ id }) => id));
}

/** Notes that these keys are used now, unless that was noted within the last minute. */
export async function noteUse({ acrossTenants: sql }: Clockwork, ids: readonly string[]): Promise<void> {
  await sql`
    update api_keys set last_used_at = now()
    where id = any(${ids}::text[]) and (last_used_at is null or last_used_at < now() - interval '59 seconds')`;
}

/** Keeps a new key. */
export async function insertKey(
  { acrossTenants: sql }: Clockwork,
  { id, name, tenant, hash, expiresAt }: NewKey,
): Promise<void> {
  await sql`
    insert into api_keys (id, name, tenant, hash, expires_at)
    values (${id}, ${name}, ${tenant}, ${hash}, ${expiresAt?.toISOString() ?? null}::text::timestamptz)`;
}

/** All keys, the oldest first, those that let nobody in any more too. */
export async function listKeys({ acrossTenants: sql }: Clockwork): Promise<readonly KeyRow[]> {
  const rows = await sql<Timed<KeyRow>[]>`
    select id, name, tenant, ${milliseconds(sql, 'created_at')} as "createdAt",
      ${milliseconds(sql, 'expires_at')} as "expiresAt", ${milliseconds(sql, 'revoked_at')} as "revokedAt",
      ${milliseconds(sql, 'last_used_at')} as "lastUsedAt"
    from api_keys order by created_at, id`;
  return rows.map((row) => ({
    ...row,
    createdAt: new Date(row.createdAt),
    expiresAt: toDate(row.expiresAt),
    revokedAt: toDate(row.revokedAt),
    lastUsedAt: toDate(row.lastUsedAt),
  }));
}

/** Makes a key let nobody in any more. False if there is none of this id; one that was revoked before stays as it is. */
export async function revokeKey({ acrossTenants: sql }: Clockwork, id: string): Promise<boolean> {
  const rows = await sql`
    update api_keys set revoked_at = coalesce(revoked_at, now()) where id = ${id} returning id`;
  return rows.length > 0;
}

/** A row as it comes: times in milliseconds. */
type Timed<Row> = {
  readonly [Column in keyof Row]: Row[Column] extends Date
    ? number
    : Row[Column] extends Date | null
      ? number | null
      : Row[Column];
};

type Sql = Clockwork['acrossTenants'];

function milliseconds(sql: Sql, column: string) {
  return sql`(extract(epoch from ${sql(column)}) * 1000)::float8`;
}

function toDate(time: number | null): Date | null {
  return time === null ? null : new Date(time);
}
