import { and, asc, desc, eq, gt, inArray, isNull, lt, type SQL, sql } from 'drizzle-orm';
import type { ResponseId } from '../protocol/ids.ts';
import { type Page, type PageRequest, readsDescending, type TimeKey, toPage } from '../protocol/pages.ts';
import type { ResponseBase, ResponseState } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { ResponseFilter } from '../protocol/stored.ts';
import type { Database } from './database.ts';
import { responses } from './tables.ts';

/** A response as its row tells it. Of one in flight the log knows more; of an ended one `items` has the output. */
export interface ResponseRow {
  readonly base: ResponseBase;
  readonly state: Omit<ResponseState, 'output'>;
  /** Number of the terminal event; null while in flight. */
  readonly lastSequence: number | null;
  readonly depth: number;
  readonly processId: string;
}

/** The responses of these ids that exist and are not deleted. */
export async function findResponses(
  { orm }: Database,
  scope: Scope,
  ids: readonly ResponseId[],
): Promise<ReadonlyMap<ResponseId, ResponseRow>> {
  const rows = await orm
    .select()
    .from(responses)
    .where(and(inArray(responses.id, [...ids]), ...visible(scope)));
  return new Map(rows.map((row) => [row.id, toResponseRow(row)]));
}

/** A page of responses by the time of their creation. */
export async function responsesPage(
  { orm }: Database,
  scope: Scope,
  { filter, page }: { readonly filter: ResponseFilter; readonly page: PageRequest<TimeKey> },
): Promise<Page<ResponseRow>> {
  const [low, high] = page.order === 'asc' ? [page.after, page.before] : [page.before, page.after];
  const place = sql`(${responses.createdAt}, ${responses.id})`;
  const key = ({ createdAt, id }: TimeKey) => sql`(${new Date(createdAt).toISOString()}::timestamptz, ${id})`;
  const bounds: SQL[] = [];
  if (low !== null) bounds.push(sql`${place} > ${key(low)}`);
  if (high !== null) bounds.push(sql`${place} < ${key(high)}`);
  const order = readsDescending(page) ? desc : asc;
  const rows = await orm
    .select()
    .from(responses)
    .where(and(...visible(scope), ...conditions(filter), ...bounds))
    .orderBy(order(responses.createdAt), order(responses.id))
    .limit(page.limit + 1);
  return toPage(rows.map(toResponseRow), page);
}

/** How many responses the filter leaves, or null for more than `cap`. */
export async function countResponses(
  { orm }: Database,
  scope: Scope,
  { filter, cap }: { readonly filter: ResponseFilter; readonly cap: number },
): Promise<number | null> {
  const counted = orm
    .select({ one: sql`1`.as('one') })
    .from(responses)
    .where(and(...visible(scope), ...conditions(filter)))
    .limit(cap + 1)
    .as('counted');
  const [row] = await orm.select({ count: sql<number>`count(*)::int` }).from(counted);
  const count = row?.count ?? 0;
  return count > cap ? null : count;
}

function visible(scope: Scope): SQL[] {
  return [eq(responses.tenant, scope.tenant), isNull(responses.deletedAt)];
}

function conditions(filter: ResponseFilter): (SQL | undefined)[] {
  const { status, model, createdAfter, createdBefore, metadata, previousResponseId, isRoot } = filter;
  return [
    status ? inArray(responses.status, [...status]) : undefined,
    model ? eq(responses.model, model) : undefined,
    createdAfter ? gt(responses.createdAt, new Date(createdAfter)) : undefined,
    createdBefore ? lt(responses.createdAt, new Date(createdBefore)) : undefined,
    metadata ? sql`${responses.metadata} @> ${JSON.stringify(metadata)}::jsonb` : undefined,
    previousResponseId ? eq(responses.previousResponseId, previousResponseId) : undefined,
    isRoot === true ? isNull(responses.previousResponseId) : undefined,
    isRoot === false ? sql`${responses.previousResponseId} is not null` : undefined,
  ];
}

export function toResponseRow(row: typeof responses.$inferSelect): ResponseRow {
  const { id, createdAt, previousResponseId, settings, metadata, status, completedAt, usage, error } = row;
  return {
    base: { id, createdAt: createdAt.getTime(), previousResponseId, settings: { ...settings, metadata } },
    state: {
      status,
      completedAt: completedAt?.getTime() ?? null,
      usage,
      error,
      incompleteReason: row.incompleteReason,
    },
    lastSequence: row.lastSequence,
    depth: row.depth,
    processId: row.processId,
  };
}

/** True while a response that exists has not ended. */
export async function isInFlight({ sql: query }: Database, scope: Scope, id: ResponseId): Promise<boolean> {
  const rows = await query`
    select 1 from responses
    where id = ${id} and tenant = ${scope.tenant} and status = 'in_progress' and deleted_at is null`;
  return rows.length > 0;
}
