import { isTerminal, type ResponseEvent } from '../../protocol/events.ts';
import { abortable, Bell, orAborted, pause, type StopSignal } from '../../util/async-iteration.ts';
import type { EventBatches, Take } from './event-batches.ts';
import type { Hub } from './hub.ts';
import { joinAll } from './join-all.ts';
import { LiveEvents, MAX_KEPT } from './live-events.ts';
import type { LogPlace } from './log-reader.ts';
import { type LogAccess, readOn } from './read-on.ts';

export interface FollowDependencies extends LogAccess {
  readonly hub: Hub;
}

/** While the database is away, it is asked again after so long. In milliseconds. */
const RETRY_MS = 250;

/** Somebody has to look: how far the log goes, nobody has said. */
const UNKNOWN = Number.POSITIVE_INFINITY;

/**
 * The events after a place in a stream: first from the log, then live, without a seam, wherever the response runs and
 * wherever it moves meanwhile. Ends after the terminal event; leaving early ends it at once. Deltas are joined only
 * for a follower that was live and then fell so far behind that nothing is kept for it any more.
 *
 * @throws AppError NOT_FOUND when the response is gone before its end was told.
 */
export function followResponse(dependencies: FollowDependencies, place: LogPlace): EventBatches {
  const follower: Follower = { take: () => false };
  const batches = abortable((signal) => generate(dependencies, { ...place, follower }, signal));
  return Object.assign(batches, {
    tap: (take: Take) => {
      follower.take = (events) => {
        try {
          return take(events);
        } catch {
          return false; // whoever reads the generator meets it again; those who tell must not
        }
      };
    },
  });
}

interface Follower {
  take: Take;
}

async function* generate(
  dependencies: FollowDependencies,
  { scope, responseId, after, follower }: LogPlace & { readonly follower: Follower },
  signal: StopSignal,
): AsyncGenerator<readonly ResponseEvent[], void> {
  const bell = new Bell();
  const wake = () => bell.wake();
  const live = new LiveEvents();
  let last = after;
  let known = UNKNOWN;
  let wasLive = false;
  let isBehind = false;
  let isWaiting = false;
  let isOver = false;
  /** Without a step between, for a follower that has everything before and waits for just this. */
  const takesAtOnce = (events: readonly ResponseEvent[]): boolean => {
    const end = events.at(-1);
    if (!isWaiting || signal.aborted || end === undefined) return false;
    if (events[0]?.sequenceNumber !== last + 1 || !follower.take(events)) return false;
    last = end.sequenceNumber;
    isOver = isTerminal(end);
    return true;
  };
  const unlisten = dependencies.hub.listen(responseId, {
    told: (events, size) => {
      if (!takesAtOnce(events)) live.push(events, size);
      else if (!isOver) return;
      wake();
    },
    woken: (number) => {
      known = Math.max(known, number);
      wake();
    },
  });
  signal.addEventListener('abort', wake);
  try {
    while (!signal.aborted) {
      const taken = live.take(last);
      let events: readonly ResponseEvent[] = taken.kind === 'ready' ? taken.events : [];
      if (events.length > 0) isBehind = false;
      else if (taken.kind === 'ready' && known <= last) {
        isWaiting = true;
        await bell.wait();
        isWaiting = false;
        if (isOver) return;
        continue;
      } else {
        const isFar = known !== UNKNOWN && known - last > MAX_KEPT.events;
        isBehind ||= wasLive && (taken.kind === 'overflowed' || isFar);
        known = last; // what anybody says from now on, this look may not see
        const looking = readOn(dependencies, { scope, responseId, after: last });
        await orAborted(looking, signal);
        if (signal.aborted) return;
        const found = await looking;
        if (found.kind === 'over') return;
        if (found.kind === 'away' || (found.events.length === 0 && taken.kind === 'missing')) {
          known = UNKNOWN;
          await pause(RETRY_MS, signal).catch(() => {}); // the loop looks at the signal
          continue;
        }
        events = isBehind ? joinAll(found.events) : found.events;
        if (found.isCut) known = UNKNOWN;
        else {
          wasLive = true;
          isBehind = false;
        }
      }
      const end = events.at(-1);
      if (end === undefined) continue;
      last = end.sequenceNumber;
      yield events;
      if (isTerminal(end)) return;
    }
  } finally {
    unlisten();
    signal.removeEventListener('abort', wake);
  }
}
