import { and, asc, desc, eq, gt, inArray, isNull, lt, type SQL, sql } from 'drizzle-orm';
import type { ResponseId } from '../protocol/ids.ts';
import {
  type Page,
  type PageRequest,
  readsDescending,
  startOf,
  type TimeKey,
  toPage,
} from '../protocol/pages.ts';
import type { ResponseBase, ResponseState } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { ResponseFilter } from '../protocol/stored.ts';
import { type Database, isAnyOf } from './database.ts';
import { responses } from './tables.ts';

/** A response as its row tells it. Of one in flight the log knows more; of an ended one `items` has the output. */
export interface ResponseRow {
  readonly base: ResponseBase;
  readonly state: Omit<ResponseState, 'output'>;
  /** Number of the terminal event; null while in flight. */
  readonly lastSequence: number | null;
  readonly depth: number;
  readonly processId: string | null;
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
    .where(and(isAnyOf(responses.id, ids), ...visible(scope)));
  return new Map(rows.map((row) => [row.id, toResponseRow(row)]));
}

/** A page of responses by the time of their creation. */
export async function responsesPage(
  { orm }: Database,
  scope: Scope,
  { filter, page }: { readonly filter: ResponseFilter; readonly page: PageRequest<TimeKey> },
): Promise<Page<ResponseRow>> {
  const [low, high] = page.order === 'asc' ? [page.after, page.before] : [page.before, page.after];
  const listed = [...visible(scope), ...conditions(filter)];
  const bounds = [
    low === null ? undefined : sql`${PLACE} > ${keyOf(low)}`,
    high === null ? undefined : sql`${PLACE} < ${keyOf(high)}`,
  ];
  const [order, opposite] = readsDescending(page) ? [desc, asc] : [asc, desc];
  const reading = orm
    .select()
    .from(responses)
    .where(and(...listed, ...bounds))
    .orderBy(order(responses.createdAt), order(responses.id))
    .limit(page.limit + 1);
  const start = startOf(page);
  if (start === null) return toPage((await reading).map(toResponseRow), page, false);
  // What was there when the cursor was given out may have been deleted since.
  const beyond = readsDescending(page) ? sql`${PLACE} >= ${keyOf(start)}` : sql`${PLACE} <= ${keyOf(start)}`;
  const looking = orm
    .select({ id: responses.id })
    .from(responses)
    .where(and(...listed, beyond))
    .orderBy(opposite(responses.createdAt), opposite(responses.id))
    .limit(1);
  const [rows, behind] = await Promise.all([reading, looking]);
  return toPage(rows.map(toResponseRow), page, behind.length > 0);
}

const PLACE = sql`(${responses.createdAt}, ${responses.id})`;

function keyOf({ createdAt, id }: TimeKey): SQL {
  return sql`(${new Date(createdAt).toISOString()}::timestamptz, ${id})`;
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
  const { status, model, createdAfter, createdBefore, metadata, background, previousResponseId, isRoot } =
    filter;
  return [
    isGiven(status) ? inArray(responses.status, [...status]) : undefined,
    isGiven(model) ? eq(responses.model, model) : undefined,
    isGiven(createdAfter) ? gt(responses.createdAt, toMoment(createdAfter)) : undefined,
    isGiven(createdBefore) ? lt(responses.createdAt, toMoment(createdBefore)) : undefined,
    isGiven(metadata) ? sql`${responses.metadata} @> ${JSON.stringify(metadata)}::jsonb` : undefined,
    isGiven(background) ? eq(responses.background, background) : undefined,
    isGiven(previousResponseId) ? eq(responses.previousResponseId, previousResponseId) : undefined,
    isRoot === true ? isNull(responses.previousResponseId) : undefined,
    isRoot === false ? sql`${responses.previousResponseId} is not null` : undefined,
  ];
}

function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}

const FIRST_MOMENT = Date.parse('0001-01-01T00:00:00Z');
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z');

/** A date that Postgres reads as JavaScript writes it; no response was created outside of these. */
function toMoment(time: number): Date {
  return new Date(Math.min(Math.max(time, FIRST_MOMENT), LAST_MOMENT));
}

/** Settings that rows of earlier versions lack. */
const SINCE = { truncation: 'disabled', background: false } as const;

export function toResponseRow(row: typeof responses.$inferSelect): ResponseRow {
  const { id, createdAt, previousResponseId, settings, metadata, status, completedAt, usage, error } = row;
  return {
    base: {
      id,
      createdAt: createdAt.getTime(),
      previousResponseId,
      settings: { ...SINCE, ...settings, metadata },
    },
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
    where id = ${id} and tenant = ${scope.tenant} and completed_at is null and deleted_at is null`;
  return rows.length > 0;
}
