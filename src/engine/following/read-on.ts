import type { ResponseEvent } from '../../protocol/events.ts';
import type { ResponseId } from '../../protocol/ids.ts';
import { hasEnded, type ResponseState } from '../../protocol/response.ts';
import { isDatabaseAway, type Tenants } from '../../store/database.ts';
import { endOfTrimmed } from '../../store/following.ts';
import { AppError } from '../../util/errors.ts';
import { TERMINAL_TYPES } from '../run/outcome.ts';
import type { LogPlace, LogReader } from './log-reader.ts';
import type { RecentEvents } from './recent-events.ts';

/**
 * - `events`: the next ones, none if there are none yet; `isCut` if there may be more
 * - `over`: there will never be any more
 * - `away`: the database did not answer
 */
export type Found =
  | { readonly kind: 'events'; readonly events: readonly ResponseEvent[]; readonly isCut: boolean }
  | { readonly kind: 'over' }
  | { readonly kind: 'away' };

export interface LogAccess {
  readonly database: Tenants;
  readonly reader: LogReader;
  /** What a run of this process has told; undefined if the response does not run here. */
  readonly recentOf: (id: ResponseId) => RecentEvents | undefined;
}

/**
 * What comes after a place in the stream of a response: what its run here has told of late, the next page of its log, or, once that has been removed,
 * what stands for it: a snapshot and the last event.
 *
 * @throws AppError NOT_FOUND when the response is gone.
 */
export async function readOn(access: LogAccess, place: LogPlace): Promise<Found> {
  const recent = access.recentOf(place.responseId)?.after(place.after);
  if (recent) return { kind: 'events', events: recent, isCut: false };
  try {
    const { events, isCut, response } = await access.reader.read(place);
    if (response === null) throw gone(place);
    const { lastSequence, isTrimmed } = response;
    if (events.length > 0 && !isTrimmed) return { kind: 'events', events, isCut };
    if (lastSequence === null) return { kind: 'events', events: [], isCut: false };
    if (place.after >= lastSequence) return { kind: 'over' };
    if (!isTrimmed) throw gone(place); // it is being deleted at this moment
    return { kind: 'events', events: await readTail(access.database, place), isCut: false };
  } catch (error) {
    if (isDatabaseAway(error)) return { kind: 'away' };
    throw error;
  }
}

/** What is left of the stream of an ended response without its log. */
async function readTail(tenants: Tenants, place: LogPlace): Promise<readonly ResponseEvent[]> {
  const end = await endOfTrimmed(tenants, place.scope, place.responseId);
  if (end === null) throw gone(place);
  const { state, lastSequence } = end;
  const { status } = state;
  if (!hasEnded(status)) throw gone(place);
  const open: ResponseState = {
    ...state,
    status: 'in_progress',
    completedAt: null,
    error: null,
    incompleteReason: null,
  };
  const tail: readonly ResponseEvent[] = [
    { type: 'response.snapshot', state: open, sequenceNumber: lastSequence - 1 },
    { type: TERMINAL_TYPES[status], state, sequenceNumber: lastSequence },
  ];
  return tail.filter(({ sequenceNumber }) => sequenceNumber > place.after);
}

function gone({ responseId }: LogPlace): AppError {
  return new AppError('NOT_FOUND', `There is no response "${responseId}" any more.`);
}
