import type { ResponseId } from '../protocol/ids.ts';
import type { ResponseBase, ResponseState, ResponseStatus } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Tenants } from './database.ts';

/** A response as its row tells it. Of one in flight the log knows more; of an ended one `items` has the output. */
export interface ResponseRow {
  readonly base: ResponseBase;
  readonly state: Omit<ResponseState, 'output'>;
  /** Number of the terminal event; null while in flight. */
  readonly lastSequence: number | null;
}

/** What `ROW_COLUMNS` selects. Times are in milliseconds. */
export interface RowColumns {
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
  readonly lastSequence: number | null;
}

/** The columns of `responses r` that make a ResponseRow. */
export const ROW_COLUMNS = `r.id, (extract(epoch from r.created_at) * 1000)::float8 as "createdAt",
  r.previous_response_id as "previousResponseId", r.settings, r.metadata::text as metadata, r.status,
  (extract(epoch from r.completed_at) * 1000)::float8 as "completedAt", r.usage, r.error,
  r.incomplete_reason as "incompleteReason", r.last_sequence as "lastSequence"`;

/** Settings that rows of earlier versions lack. */
const SINCE = { truncation: 'disabled', background: false } as const;

export function toResponseRow(row: RowColumns): ResponseRow {
  const { id, createdAt, previousResponseId, status, completedAt, incompleteReason, usage, error } = row;
  const settings = { ...SINCE, ...JSON.parse(row.settings), metadata: JSON.parse(row.metadata) };
  return {
    base: { id, createdAt, previousResponseId, settings },
    state: {
      status,
      completedAt,
      usage: usage === null ? null : JSON.parse(usage),
      error: error === null ? null : JSON.parse(error),
      incompleteReason,
    },
    lastSequence: row.lastSequence,
  };
}

/** The response of this id, if it exists and is not deleted. */
export async function findResponse(
  tenants: Tenants,
  scope: Scope,
  id: ResponseId,
): Promise<ResponseRow | null> {
  const [row] = await tenants.as(
    scope,
    (sql) => sql<RowColumns[]>`
      select ${sql.unsafe(ROW_COLUMNS)} from responses r
      where r.id = ${id} and r.tenant = ${scope.tenant} and r.deleted_at is null`,
  );
  return row === undefined ? null : toResponseRow(row);
}

/** The same, be it deleted: for whoever is telling how it goes on, or ended. */
export async function findAnyResponse(
  tenants: Tenants,
  scope: Scope,
  id: ResponseId,
): Promise<ResponseRow | null> {
  const [row] = await tenants.as(
    scope,
    (sql) => sql<RowColumns[]>`
      select ${sql.unsafe(ROW_COLUMNS)} from responses r where r.id = ${id} and r.tenant = ${scope.tenant}`,
  );
  return row === undefined ? null : toResponseRow(row);
}
