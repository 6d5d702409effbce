import type { KeyRow } from '../store/keys.ts';

const HEAD = ['ID', 'NAME', 'TENANT', 'CREATED', 'LAST USED', 'ENDS'];

/** Keys as lines for a terminal, the state of each at `now`. */
export function toTable(keys: readonly KeyRow[], now: Date): string {
  const rows = [HEAD, ...keys.map((key) => toCells(key, now))];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const toLine = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${rows.map(toLine).join('\n')}\n`;
}

function toCells(key: KeyRow, now: Date): readonly string[] {
  const { id, name, tenant, createdAt, lastUsedAt } = key;
  return [
    id,
    name,
    tenant,
    toMinute(createdAt),
    lastUsedAt === null ? 'never' : toMinute(lastUsedAt),
    toEnd(key, now),
  ];
}

function toEnd({ revokedAt, expiresAt }: KeyRow, now: Date): string {
  if (revokedAt !== null) return `revoked ${toMinute(revokedAt)}`;
  if (expiresAt === null) return 'never';
  return expiresAt <= now ? `expired ${toMinute(expiresAt)}` : toMinute(expiresAt);
}

function toMinute(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
