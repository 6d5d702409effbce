import type { ResponseEvent } from '../protocol/events.ts';
import type { ResponseId } from '../protocol/ids.ts';
import type { Item } from '../protocol/items.ts';
import { hasEnded, type ResponseBase, type ResponseState } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Tenants } from '../store/database.ts';
import { wholeLogs } from '../store/event-log.ts';
import { outputsOf } from '../store/items.ts';
import type { ResponseRow } from '../store/response-rows.ts';
import { findViewRows, type ViewRow } from '../store/view-rows.ts';
import { foldLog } from './fold-log.ts';

/** A response as readers see it. */
export interface ResponseView {
  readonly base: ResponseBase;
  readonly state: Omit<ResponseState, 'output'>;
  /**
   * Null: not read, `wholeStates` has it for whoever wants it. Of a response in flight `state.usage` is then not read
   * either: only a log that may be long tells both.
   */
  readonly output: readonly Item[] | null;
  /** The event that this view stands at, whatever is read of it later. */
  readonly sequenceNumber: number;
}

/** The views of some responses; those that are unknown, deleted or another tenant's are absent. */
export async function readResponses(
  tenants: Tenants,
  scope: Scope,
  ids: readonly ResponseId[],
): Promise<ReadonlyMap<ResponseId, ResponseView>> {
  const rows = await findViewRows(tenants, scope, ids);
  return new Map([...rows].map(([id, row]) => [id, toView(row)]));
}

export function toView(row: ViewRow): ResponseView {
  return { ...row, output: null };
}

/** Rows as views. Those in flight are read again, so that one statement tells their state and their place. */
export async function toViews(
  tenants: Tenants,
  scope: Scope,
  rows: readonly ResponseRow[],
): Promise<readonly ResponseView[]> {
  const inFlight = rows.flatMap(({ base, lastSequence }) => (lastSequence === null ? [base.id] : []));
  const views = await readResponses(tenants, scope, inFlight);
  return rows.flatMap(({ base, state, lastSequence }): ResponseView[] => {
    if (lastSequence !== null) return [{ base, state, output: null, sequenceNumber: lastSequence }];
    const view = views.get(base.id); // absent: it has ended and been deleted between the two reads
    return view === undefined ? [] : [view];
  });
}

/** True of a response in flight of which only the status has been read. */
export function isPartial({ state, output }: ResponseView): boolean {
  return output === null && !hasEnded(state.status);
}

/**
 * The whole states that some views stand for, in the order asked for. What is in flight is the fold of its log up to
 * the event that its view stands at, however much has come since.
 */
export async function wholeStates(
  tenants: Tenants,
  scope: Scope,
  views: readonly ResponseView[],
): Promise<readonly ResponseState[]> {
  const unread = views.filter(({ output }) => output === null);
  const [outputs, logs] = await Promise.all([
    outputsOf(tenants, scope, idsOf(unread)),
    wholeLogs(tenants, scope, idsOf(unread.filter(isPartial))),
  ]);
  return views.map((view) => {
    const { base, state, output } = view;
    const folded = isPartial(view) ? foldUpTo(logs.get(base.id) ?? [], view.sequenceNumber) : null;
    // Of a log that is gone the response has ended meanwhile.
    return folded ?? { ...state, output: output ?? outputs.get(base.id) ?? [] };
  });
}

function foldUpTo(log: readonly ResponseEvent[], last: number): ResponseState | null {
  const events = log.slice(0, last + 1);
  return events.at(-1)?.sequenceNumber === last ? foldLog(events) : null;
}

function idsOf(views: readonly ResponseView[]): readonly ResponseId[] {
  return [...new Set(views.map(({ base }) => base.id))];
}
