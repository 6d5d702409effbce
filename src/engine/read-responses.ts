import { applyEvent } from '../protocol/apply-event.ts';
import type { ResponseId } from '../protocol/ids.ts';
import type { Item } from '../protocol/items.ts';
import { INITIAL_STATE, type ResponseBase, type ResponseState } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Database } from '../store/database.ts';
import { wholeLogs } from '../store/event-log.ts';
import { findResponses, type ResponseRow } from '../store/responses.ts';

/** A response as readers see it. */
export interface ResponseView {
  readonly base: ResponseBase;
  readonly state: Omit<ResponseState, 'output'>;
  /** Null: ended, so that `Engine.outputs` has it for whoever wants it. */
  readonly output: readonly Item[] | null;
  /** The event that this view stands at. */
  readonly sequenceNumber: number;
}

/** The views of some responses; those that are unknown, deleted or another tenant's are absent. */
export async function readResponses(
  database: Database,
  scope: Scope,
  ids: readonly ResponseId[],
): Promise<ReadonlyMap<ResponseId, ResponseView>> {
  const rows = await findResponses(database, scope, ids);
  const views = await toViews(database, scope, [...rows.values()]);
  return new Map(views.map((view) => [view.base.id, view]));
}

/**
 * Rows as views. Of responses in flight the log decides, all of it read in one statement, so that state and
 * place in the stream belong together.
 */
export async function toViews(
  database: Database,
  scope: Scope,
  rows: readonly ResponseRow[],
): Promise<readonly ResponseView[]> {
  const inFlight = rows.flatMap(({ base, lastSequence }) => (lastSequence === null ? [base.id] : []));
  const logs = await wholeLogs(database, scope, inFlight);
  return rows.flatMap(({ base, state, lastSequence }): ResponseView[] => {
    if (lastSequence !== null) return [{ base, state, output: null, sequenceNumber: lastSequence }];
    const log = logs.get(base.id);
    if (log === undefined) return []; // it has ended and been deleted between the two reads
    const folded = log.reduce(applyEvent, INITIAL_STATE);
    return [{ base, state: folded, output: folded.output, sequenceNumber: log.at(-1)?.sequenceNumber ?? 0 }];
  });
}
