import pLimit from 'p-limit';
import { applyEvent } from '../../protocol/apply-event.ts';
import { unusedAnswers } from '../../protocol/approvals.ts';
import { closeOpenItems } from '../../protocol/close-items.ts';
import type { EventDraft, ResponseEvent } from '../../protocol/events.ts';
import type { ResponseId } from '../../protocol/ids.ts';
import { hasEnded, INITIAL_STATE, type ResponseState } from '../../protocol/response.ts';
import { type Database, isCancelled, isDatabaseAway } from '../../store/database.ts';
import { commitEvents, type Ending, lastNumber, wholeLogs } from '../../store/event-log.ts';
import { ownInputOf } from '../../store/items.ts';
import { type Claimed, claimEnding, MAX_TAKE_OVERS } from '../../store/ownership.ts';
import type { WakeUps } from '../../store/wake-ups.ts';
import type { Logger } from '../../util/logger.ts';
import type { Hub } from '../following/hub.ts';
import { EventNumbers } from '../run/number-events.ts';
import { type Outcome, TERMINAL_TYPES } from '../run/run.ts';

export interface EndOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly hub: Hub;
  readonly wakeUps: WakeUps;
  readonly processId: () => string;
}

/** A response in flight that this process owns and does not run. */
export interface Orphan {
  readonly tenant: string;
  readonly id: ResponseId;
}

/** How a response ends that nobody runs any more. */
export type OrphanOutcome = Extract<Outcome, { readonly status: 'failed' | 'cancelled' }>;

export const STOPPED = failed('The server stopped before this response was complete.');

const TAKEN_OVER_TOO_OFTEN = failed(
  `This response was given up: it was taken over ${MAX_TAKE_OVERS} times from servers that stopped.`,
);

const BATCH = 100;
const AT_ONCE = 8;

/**
 * Ends the responses that nobody runs and nobody will, with everything that they had told kept. Each is claimed
 * first, so that of several instances one ends it. Resolves when each was tried once.
 */
export async function endOrphans(options: EndOptions): Promise<void> {
  const { database, logger, processId } = options;
  const stuck: ResponseId[] = [];
  const limit = pLimit(AT_ONCE);
  const end = async (orphan: Claimed) => {
    const about = { responseId: orphan.id };
    try {
      await endOrphan(options, orphan, orphanOutcome(orphan) ?? STOPPED);
      logger.info(about, 'a response that nobody runs was ended');
    } catch (error) {
      stuck.push(orphan.id);
      logger.warn({ ...about, error }, 'a response that nobody runs could not be ended yet');
    }
  };
  for (;;) {
    const claimed = await claimEnding(database, { processId: processId(), except: stuck, limit: BATCH });
    await Promise.all(claimed.map((orphan) => limit(() => end(orphan))));
    if (claimed.length < BATCH) return;
  }
}

/** How a claimed response is to end; null for one in the background that may be run. */
export function orphanOutcome({ background, isUnwanted, takeOvers }: Claimed): OrphanOutcome | null {
  if (isUnwanted) return { status: 'cancelled' };
  if (!background) return STOPPED;
  return takeOvers > MAX_TAKE_OVERS ? TAKEN_OVER_TOO_OFTEN : null;
}

/**
 * Ends a response that this process owns and does not run, as far as its log tells it. If the database will not take
 * that, it ends without its output: whoever waits for it is told at least that it is over.
 *
 * @throws what the database throws while it is away.
 */
export async function endOrphan(options: EndOptions, orphan: Orphan, outcome: OrphanOutcome): Promise<void> {
  let failure: unknown;
  for (const toEnd of [endFromLog, endFromLog, endWithoutOutput]) {
    try {
      const end = await toEnd(options.database, orphan, outcome);
      if (end !== null) await commit(options, end);
      return;
    } catch (error) {
      if (isDatabaseAway(error) && !isCancelled(error)) throw error;
      failure = error;
      options.logger.error({ error, responseId: orphan.id }, 'a log could not be brought to its end');
    }
  }
  throw failure;
}

/** The last events of a response, and how it ended. */
interface End {
  readonly events: readonly ResponseEvent[];
  readonly ending: Ending;
}

async function endFromLog(
  database: Database,
  { tenant, id }: Orphan,
  outcome: OrphanOutcome,
): Promise<End | null> {
  const log = (await wholeLogs(database, { tenant }, [id])).get(id) ?? [];
  const before = fold(log);
  if (hasEnded(before.status)) return null;
  const input = await ownInputOf(database, id);
  const closing = closeOpenItems(before);
  const state = endState(closing.reduce(applyEvent, before), outcome);
  const drafts: EventDraft[] = [...closing, { type: TERMINAL_TYPES[outcome.status], state }];
  const events = new EventNumbers((log.at(-1)?.sequenceNumber ?? -1) + 1).number(drafts);
  const unused = unusedAnswers(input, state);
  return toEnd({ tenant, id }, events, { state, firstPosition: input.length, unusedAnswers: unused });
}

async function endWithoutOutput(database: Database, orphan: Orphan, outcome: OrphanOutcome): Promise<End> {
  const last = (await lastNumber(database, { tenant: orphan.tenant }, orphan.id)) ?? -1;
  const state = endState(INITIAL_STATE, outcome);
  const events = new EventNumbers(last + 1).number([{ type: TERMINAL_TYPES[outcome.status], state }]);
  // Of the calls that it was to make nobody knows which were: none may be approved again.
  return toEnd(orphan, events, { state, firstPosition: 0, unusedAnswers: [] });
}

function toEnd(
  { tenant, id: responseId }: Orphan,
  events: readonly ResponseEvent[],
  rest: Pick<Ending, 'state' | 'firstPosition' | 'unusedAnswers'>,
): End {
  return {
    events,
    ending: { tenant, responseId, lastSequence: events.at(-1)?.sequenceNumber ?? 0, ...rest },
  };
}

async function commit(
  { database, processId, hub, wakeUps }: EndOptions,
  { events, ending }: End,
): Promise<void> {
  const { tenant, responseId, lastSequence: last } = ending;
  const batches = [{ tenant, responseId, events }];
  if (!(await commitEvents(database, processId(), { batches, endings: [ending] }))) return; // now it is another's
  hub.wake(responseId, last);
  wakeUps.send([{ type: 'logged', responseId, last }]);
}

function endState(state: ResponseState, outcome: OrphanOutcome): ResponseState {
  const error = outcome.status === 'failed' ? outcome.error : null;
  return { ...state, status: outcome.status, completedAt: Date.now(), error };
}

function failed(message: string): OrphanOutcome {
  return { status: 'failed', error: { code: 'server_error', message } };
}

/** The state that a log comes to. One that breaks off in nonsense counts up to there: it must end all the same. */
function fold(log: readonly ResponseEvent[]): ResponseState {
  let state = INITIAL_STATE;
  for (const event of log) {
    try {
      state = applyEvent(state, event);
    } catch {
      return state;
    }
  }
  return state;
}
