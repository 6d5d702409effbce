import type { Sql } from 'postgres';
import type { ResponseId } from '../protocol/ids.ts';
import type { ResponseBase, ResponseState, ResponseStatus } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Tenants } from './database.ts';
import { ROW_COLUMNS, type RowColumns, toResponseRow } from './response-rows.ts';

/** A response as readers see it, its output left out. One statement tells the state and its place in the stream. */
export interface ViewRow {
  readonly base: ResponseBase;
  /** Of one in flight only the status is known without its log: `usage` is null. */
  readonly state: Omit<ResponseState, 'output'>;
  /** The event that it stands at. */
  readonly sequenceNumber: number;
}

/** What `viewColumns` selects. */
export interface ViewColumns extends RowColumns {
  readonly sequenceNumber: number;
}

/** The columns of `responses r` that make a ViewRow. */
export function viewColumns(sql: Sql) {
  return sql`${sql.unsafe(ROW_COLUMNS)}, coalesce(r.last_sequence, (
    select e.last from events e where e.response_id = r.id order by e.first desc limit 1), 0) as "sequenceNumber"`;
}

/** The responses of these ids that exist and are not deleted. */
export async function findViewRows(
  tenants: Tenants,
  scope: Scope,
  ids: readonly ResponseId[],
): Promise<ReadonlyMap<ResponseId, ViewRow>> {
  if (ids.length === 0) return new Map();
  const rows = await tenants.as(
    scope,
    (sql) => sql<ViewColumns[]>`
    select ${viewColumns(sql)} from responses r
    where r.id = any(${ids}::text[]) and r.tenant = ${scope.tenant} and r.deleted_at is null`,
  );
  return new Map(rows.map((row) => [row.id, toViewRow(row)]));
}

export function toViewRow(row: ViewColumns): ViewRow {
  const { base, state, lastSequence } = toResponseRow(row);
  const { sequenceNumber } = row;
  const status = lastSequence === null ? statusAt(sequenceNumber, base.settings) : state.status;
  return { base, state: { ...state, status }, sequenceNumber };
}

/** The number of ResponseQueued. The log says when a run begins; a process that claims it marks the row before. */
const QUEUED_AT = 1;

function statusAt(sequenceNumber: number, { background }: { readonly background: boolean }): ResponseStatus {
  return background && sequenceNumber <= QUEUED_AT ? 'queued' : 'in_progress';
}
