import { and, asc, desc, eq, isNull, type SQL, sql } from 'drizzle-orm';
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
import { chooseWalk, type Stretch } from './response-walk.ts';
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
  database: Database,
  scope: Scope,
  { filter, page }: { readonly filter: ResponseFilter; readonly page: PageRequest<TimeKey> },
): Promise<Page<ResponseRow>> {
  const { orm } = database;
  const [low, high] = page.order === 'asc' ? [page.after, page.before] : [page.before, page.after];
  const descending = readsDescending(page);
  const stretch: Stretch = {
    bounds: [
      ...(low === null ? [] : [{ is: '>', key: low } as const]),
      ...(high === null ? [] : [{ is: '<', key: high } as const]),
    ],
    descending,
    limit: page.limit + 1,
  };
  const walk = await chooseWalk(database, { scope, filter }, stretch);
  const order = descending ? desc : asc;
  // By their ids alone, from an array: however little the planner knows of the table, it walks once and reads these.
  const reading = orm
    .select()
    .from(responses)
    .where(sql`${responses.id} = any(array(select id from (${walk(stretch)}) found))`)
    .orderBy(order(responses.createdAt), order(responses.id));
  const start = startOf(page);
  if (start === null) return toPage((await reading).map(toResponseRow), page, false);
  // What was there when the cursor was given out may have been deleted since.
  const beyond = walk({
    bounds: [{ is: descending ? '>=' : '<=', key: start }],
    descending: !descending,
    limit: 1,
  });
  const [rows, behind] = await Promise.all([reading, orm.execute(beyond)]);
  return toPage(rows.map(toResponseRow), page, behind.length > 0);
}

/** How many responses the filter leaves, or null for more than `cap`. */
export async function countResponses(
  database: Database,
  scope: Scope,
  { filter, cap }: { readonly filter: ResponseFilter; readonly cap: number },
): Promise<number | null> {
  const stretch: Stretch = { bounds: [], descending: true, limit: cap + 1 };
  const walk = await chooseWalk(database, { scope, filter }, stretch);
  const [row] = await database.orm.execute<{ count: number }>(
    sql`select count(*)::int as count from (${walk(stretch)}) counted`,
  );
  const count = row?.count ?? 0;
  return count > cap ? null : count;
}

function visible(scope: Scope): SQL[] {
  return [eq(responses.tenant, scope.tenant), isNull(responses.deletedAt)];
}

/** Settings that rows of earlier versions lack. */
export const SINCE = { truncation: 'disabled', background: false } as const;

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
