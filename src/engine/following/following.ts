import { isTerminal, type LifecycleEvent, type ResponseEvent } from '../../protocol/events.ts';
import type { ResponseId } from '../../protocol/ids.ts';
import { hasEnded, type ResponseBase } from '../../protocol/response.ts';
import type { Scope } from '../../protocol/scope.ts';
import { parseStreamCursor } from '../../protocol/stream-cursor.ts';
import type { Tenants } from '../../store/database.ts';
import { lastNumber } from '../../store/event-log.ts';
import { findResponse } from '../../store/response-rows.ts';
import { markFollowed } from '../../store/wishes.ts';
import { AppError } from '../../util/errors.ts';
import type { EventBatches } from './event-batches.ts';
import { followResponse } from './follow-response.ts';
import type { Hub } from './hub.ts';
import { LogReader } from './log-reader.ts';
import type { RecentEvents } from './recent-events.ts';
import { type Shape, shapeBatches } from './shape-batches.ts';
import type { UnstoredLogs } from './unstored-logs.ts';

export interface FollowingOptions {
  readonly database: Tenants;
  readonly hub: Hub;
  readonly unstored: UnstoredLogs;
  /** The response as it runs in this process, if it does. */
  readonly runOf: (id: ResponseId) => RunHere | undefined;
}

/** What following needs of a run of this process. */
type RunHere = { readonly tenant: string; readonly base: ResponseBase; readonly recent: RecentEvents };

type TerminalEvent = ResponseEvent & LifecycleEvent;

/** What a subscriber asks for. */
export interface FollowWish extends Shape {
  /** Begin behind this place; null: at the start. */
  readonly cursor: string | null;
}

/** A response being followed. */
export interface Following {
  readonly base: ResponseBase;
  readonly batches: EventBatches;
}

/** Following responses: from any place in their streams, wherever they run. */
export function createFollowing({ database, hub, unstored, runOf }: FollowingOptions) {
  const recentOf = (id: ResponseId) => runOf(id)?.recent;
  const dependencies = { database, hub, recentOf, reader: new LogReader(database) };

  return {
    /**
     * Replays a response after a cursor, from its start without one, then follows it.
     *
     * @throws AppError NOT_FOUND for an unknown id, INVALID_INPUT for a cursor that this response has not given out
     * and for a `coalesceMs` out of range.
     */
    async follow(scope: Scope, id: ResponseId, { cursor, ...shape }: FollowWish): Promise<Following> {
      const after = cursor === null ? -1 : numberIn(cursor, id);
      const inMemory = unstored.about(scope, id);
      if (inMemory !== null) {
        if (after > inMemory.last) throw notGivenOut(id);
        return { base: inMemory.base, batches: shapeBatches(unstored.follow(scope, id, after), shape) };
      }
      const run = runOf(id);
      if (run?.tenant === scope.tenant) {
        if (after > run.recent.last) throw notGivenOut(id);
        const batches = followResponse(dependencies, { scope, responseId: id, after });
        return { base: run.base, batches: shapeBatches(batches, shape) };
      }
      const row = await findResponse(database, scope, id);
      // The place is looked up after the cursor was given out, so a log that has it shows it.
      const last = after === -1 ? -1 : await lastNumber(database, scope, id);
      if (row === null || last === null) throw new AppError('NOT_FOUND', `There is no response "${id}".`);
      if (after > last) throw notGivenOut(id);
      const batches = shapeBatches(followResponse(dependencies, { scope, responseId: id, after }), shape);
      // Its owner is to know at once that somebody is there; from then on Elsewhere says so.
      if (!hasEnded(row.state.status) && runOf(id) === undefined) await markFollowed(database, scope, id);
      return { base: row.base, batches };
    },

    /**
     * Resolves with the last event of a response, wherever it runs; with null if `signal` aborts before.
     *
     * @throws AppError NOT_FOUND when the response is gone before anybody was told how it ended.
     */
    async waitForEnd(
      scope: Scope,
      { id, after }: { readonly id: ResponseId; readonly after: number },
      signal: AbortSignal,
    ): Promise<TerminalEvent | null> {
      const batches = followResponse(dependencies, { scope, responseId: id, after });
      const leave = () => void batches.return().catch(() => {}); // whoever reads the batches meets the error
      signal.addEventListener('abort', leave);
      if (signal.aborted) leave();
      try {
        for await (const batch of batches) {
          const last = batch.at(-1);
          if (last !== undefined && isTerminal(last)) return last;
        }
        return null;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
  };
}

/** The number in a cursor of this response. */
function numberIn(cursor: string, id: ResponseId): number {
  const place = parseStreamCursor(cursor);
  if (place?.responseId === id) return place.sequenceNumber;
  const message = `"${cursor.slice(0, 100)}" is not a cursor of the response "${id}".`;
  throw new AppError('INVALID_INPUT', message);
}

function notGivenOut(id: ResponseId): AppError {
  return new AppError('INVALID_INPUT', `The response "${id}" has not given out this cursor.`);
}
