import { isTerminal, type ResponseEvent } from '../../protocol/events.ts';
import type { ResponseId } from '../../protocol/ids.ts';
import type { Scope } from '../../protocol/scope.ts';
import { type Database, isDatabaseAway } from '../../store/database.ts';
import { eventsAfter } from '../../store/event-log.ts';
import { isInFlight } from '../../store/responses.ts';
import { abortable, Bell } from '../../util/async-iteration.ts';
import type { Hub } from './hub.ts';

export interface Following {
  readonly database: Database;
  readonly hub: Hub;
  /** How often the log is asked about a response that runs elsewhere. In milliseconds. */
  readonly pollMs: number;
  /** True while the response runs in this process, so that the hub tells everything. */
  readonly runsHere: (id: ResponseId) => boolean;
  /** Aborted when this process stops serving. */
  readonly stopping: AbortSignal;
}

export interface Follow {
  readonly scope: Scope;
  readonly responseId: ResponseId;
  /** Number of the last event that the follower has; -1 for none. */
  readonly after: number;
}

/** A follower that is this many events behind reads them from the log again instead of having them kept for it. */
const MAX_KEPT = 2000;

/**
 * The events after `after`: first from the log, then live, without a seam. Ends after the terminal event, or
 * when the process stops. Leaving early ends it at once.
 */
export function followResponse(
  following: Following,
  follow: Follow,
): AsyncGenerator<readonly ResponseEvent[], void> {
  return abortable((signal) => generate(following, follow, signal));
}

async function* generate(
  { database, hub, pollMs, runsHere, stopping }: Following,
  { scope, responseId, after }: Follow,
  signal: AbortSignal,
): AsyncGenerator<readonly ResponseEvent[], void> {
  const bell = new Bell();
  const live = new LiveEvents(bell);
  let last = after;
  let askLog = true;
  let failed = false;
  const wake = () => bell.wake();
  const unlisten = hub.listen(responseId, (events) => live.push(events));
  const timer = setInterval(() => {
    if (runsHere(responseId) && !failed) return; // then the hub misses nothing
    askLog = true;
    bell.wake();
  }, pollMs);
  signal.addEventListener('abort', wake);
  stopping.addEventListener('abort', wake);
  try {
    while (!signal.aborted && !stopping.aborted) {
      let events = live.takeAfter(last);
      if (events === 'gap' || (events.length === 0 && askLog)) {
        // Whatever the hub tells meanwhile is kept; what is then told twice is dropped by its number.
        const missed = await readMissed({ database, runsHere }, { scope, responseId, after: last });
        if (missed === 'over') return;
        failed = missed === 'failed';
        events = missed === 'failed' ? [] : missed;
        askLog = events.length > 0; // there may be another page
      }
      const end = events.at(-1);
      if (end === undefined) {
        if (!askLog) await bell.wait();
        continue;
      }
      last = end.sequenceNumber;
      yield events;
      if (isTerminal(end)) return;
    }
  } finally {
    clearInterval(timer);
    unlisten();
    signal.removeEventListener('abort', wake);
    stopping.removeEventListener('abort', wake);
  }
}

/** The next page of the log; `over` if there is none and never will be, `failed` while the database is away. */
async function readMissed(
  { database, runsHere }: Pick<Following, 'database' | 'runsHere'>,
  { scope, responseId, after }: Follow,
): Promise<readonly ResponseEvent[] | 'over' | 'failed'> {
  try {
    // Asked before the log, so that an end in between is seen in the log.
    const goesOn = runsHere(responseId) || (await isInFlight(database, scope, responseId));
    const missed = await eventsAfter(database, scope, { responseId, sequenceNumber: after });
    return missed.length === 0 && !goesOn ? 'over' : missed;
  } catch (error) {
    if (!isDatabaseAway(error)) throw error;
    return 'failed'; // the next poll asks again
  }
}

/** What the hub has told and nobody has taken yet. */
class LiveEvents {
  private readonly bell: Bell;
  private kept: (readonly ResponseEvent[])[] = [];
  private count = 0;
  private dropped = false;

  constructor(bell: Bell) {
    this.bell = bell;
  }

  push(events: readonly ResponseEvent[]): void {
    this.count += events.length;
    if (this.count > MAX_KEPT) {
      this.kept = [];
      this.count = 0;
      this.dropped = true; // the log has them
    } else this.kept.push(events);
    this.bell.wake();
  }

  /** The events that follow the number `last` directly, or `gap` if some of those have to come from the log. */
  takeAfter(last: number): readonly ResponseEvent[] | 'gap' {
    const events = this.kept.flat().filter(({ sequenceNumber }) => sequenceNumber > last);
    const gap = this.dropped || (events[0] !== undefined && events[0].sequenceNumber !== last + 1);
    if (gap) {
      this.dropped = false;
      return 'gap'; // what is kept stays, and joins on after the log
    }
    this.kept = [];
    this.count = 0;
    return events;
  }
}
