import type { ResponseId } from '../protocol/ids.ts';
import type { ResponseBase, ResponseState, ResponseStatus } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Database } from './database.ts';
import { SINCE } from './responses.ts';

/** A response as readers see it, its output left out. One statement tells the state and its place in the stream. */
export interface ViewRow {
  readonly base: ResponseBase;
  /** Of one in flight only the status is known without its log: `usage` is null. */
  readonly state: Omit<ResponseState, 'output'>;
  /** The event that it stands at. */
  readonly sequenceNumber: number;
}

/** What `viewColumns` selects. Times are in milliseconds. */
export interface ViewColumns {
  readonly id: ResponseId;
  readonly createdAt: number;
  readonly previousResponseId: ResponseId | null;
  readonly settings: string;
  readonly metadata: string;
  readonly status: ResponseStatus;
  readonly completedAt: number | null;
  readonly usage: string | null;
  readonly error: string | null;
  readonly incompleteReason: ResponseState['incompleteReason'];
  readonly isInFlight: boolean;
  readonly sequenceNumber: number;
}

/** The columns of `responses r` that make a ViewRow. */
export function viewColumns({ sql }: Database) {
  return sql`
    r.id, (extract(epoch from r.created_at) * 1000)::float8 as "createdAt", r.previous_response_id as "previousResponseId",
    r.settings, r.metadata::text as metadata, r.status, (extract(epoch from r.completed_at) * 1000)::float8 as "completedAt",
    r.usage, r.error, r.incomplete_reason as "incompleteReason", r.last_sequence is null as "isInFlight",
    coalesce(r.last_sequence, (
      select e.last from events e where e.response_id = r.id order by e.first desc limit 1), 0) as "sequenceNumber"`;
}

/** The responses of these ids that exist and are not deleted. */
export async function findViewRows(
  database: Database,
  { tenant }: Scope,
  ids: readonly ResponseId[],
): Promise<ReadonlyMap<ResponseId, ViewRow>> {
  if (ids.length === 0) return new Map();
  const rows = await database.sql<ViewColumns[]>`
    select ${viewColumns(database)} from responses r
    where r.id = any(${ids}::text[]) and r.tenant = ${tenant} and r.deleted_at is null`;
  return new Map(rows.map((row) => [row.id, toViewRow(row)]));
}

export function toViewRow(row: ViewColumns): ViewRow {
  const { id, createdAt, previousResponseId, isInFlight, sequenceNumber, usage, error } = row;
  const { completedAt, incompleteReason } = row;
  const settings = { ...SINCE, ...JSON.parse(row.settings), metadata: JSON.parse(row.metadata) };
  return {
    base: { id, createdAt, previousResponseId, settings },
    state: {
      status: isInFlight ? statusAt(sequenceNumber, settings) : row.status,
      completedAt,
      usage: usage === null ? null : JSON.parse(usage),
      error: error === null ? null : JSON.parse(error),
      incompleteReason,
    },
    sequenceNumber,
  };
}

/** The number of ResponseQueued. The log says when a run begins; a process that claims it marks the row before. */
const QUEUED_AT = 1;

function statusAt(sequenceNumber: number, { background }: { readonly background: boolean }): ResponseStatus {
  return background && sequenceNumber <= QUEUED_AT ? 'queued' : 'in_progress';
}
