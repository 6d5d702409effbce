import pLimit from 'p-limit';
import { applyEvent } from '../../protocol/apply-event.ts';
import { unusedAnswers } from '../../protocol/approvals.ts';
import { closeOpenItems } from '../../protocol/close-items.ts';
import type { EventDraft, ResponseEvent } from '../../protocol/events.ts';
import type { ResponseId } from '../../protocol/ids.ts';
import { hasEnded, INITIAL_STATE, type ResponseState } from '../../protocol/response.ts';
import { type Database, isCancelled, isDatabaseAway, type Tenants } from '../../store/database.ts';
import { commitEvents, type Ending, lastNumber, wholeLogs } from '../../store/event-log.ts';
import { ownInputOf } from '../../store/items.ts';
import { type Claimed, claimEnding, MAX_TAKE_OVERS } from '../../store/ownership.ts';
import type { WakeUps } from '../../store/wake-ups.ts';
import type { Logger } from '../../util/logger.ts';
import type { Hub } from '../following/hub.ts';
import { EventNumbers } from '../run/number-events.ts';
import { type Outcome, TERMINAL_TYPES } from '../run/outcome.ts';

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
  /** The id under which this process owns it. Once that was declared dead, it is another's. */
  readonly owner: string;
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
  const end = async (claimed: Claimed, owner: string) => {
    const about = { responseId: claimed.id };
    try {
      await endOrphan(options, { ...claimed, owner }, orphanOutcome(claimed) ?? STOPPED);
      logger.info(about, 'a response that nobody runs was ended');
    } catch (error) {
      stuck.push(claimed.id);
      logger.warn({ ...about, error }, 'a response that nobody runs could not be ended yet');
    }
  };
  for (;;) {
    const owner = processId();
    const claimed = await claimEnding(database, { processId: owner, except: stuck, limit: BATCH });
    await Promise.all(claimed.map((each) => limit(() => end(each, owner))));
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
  for (const end of [endFromLog, endFromLog, endWithoutOutput]) {
    try {
      return await commit(options, orphan.owner, await end(options.database, orphan, outcome));
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

async function endFromLog(tenants: Tenants, orphan: Orphan, outcome: OrphanOutcome): Promise<End> {
  const { tenant, id } = orphan;
  const log = (await wholeLogs(tenants, { tenant }, [id])).get(id) ?? [];
  const input = await ownInputOf(tenants, { tenant }, id);
  const before = fold(log);
  const drafts = hasEnded(before.status) ? [] : lastDrafts(before, outcome); // else its row alone does not say so
  const state = drafts.reduce(applyEvent, before);
  const after = log.at(-1)?.sequenceNumber ?? -1;
  const rest = { state, firstPosition: input.length, unusedAnswers: unusedAnswers(input, state) };
  return toEnd(orphan, { after, drafts }, rest);
}

async function endWithoutOutput(tenants: Tenants, orphan: Orphan, outcome: OrphanOutcome): Promise<End> {
  const after = (await lastNumber(tenants, { tenant: orphan.tenant }, orphan.id)) ?? -1;
  const drafts = lastDrafts(INITIAL_STATE, outcome);
  const state = drafts.reduce(applyEvent, INITIAL_STATE);
  // Of the calls that it was to make nobody knows which were: none may be approved again.
  return toEnd(orphan, { after, drafts }, { state, firstPosition: 0, unusedAnswers: [] });
}

function lastDrafts(before: ResponseState, outcome: OrphanOutcome): readonly EventDraft[] {
  const closing = closeOpenItems(before);
  const error = outcome.status === 'failed' ? outcome.error : null;
  const closed = closing.reduce(applyEvent, before);
  const state = { ...closed, status: outcome.status, completedAt: Date.now(), error };
  return [...closing, { type: TERMINAL_TYPES[outcome.status], state }];
}

function toEnd(
  { tenant, id: responseId }: Orphan,
  { after, drafts }: { readonly after: number; readonly drafts: readonly EventDraft[] },
  rest: Pick<Ending, 'state' | 'firstPosition' | 'unusedAnswers'>,
): End {
  const events = new EventNumbers(after + 1).number(drafts);
  return { events, ending: { tenant, responseId, lastSequence: after + events.length, ...rest } };
}

async function commit({ database, hub, wakeUps }: EndOptions, owner: string, { events, ending }: End) {
  const { tenant, responseId, lastSequence: last } = ending;
  const batches = events.length === 0 ? [] : [{ tenant, responseId, events }];
  if (!(await commitEvents(database, owner, { batches, endings: [ending] }))) return; // then it is another's
  hub.wake(responseId, last);
  wakeUps.send([{ type: 'logged', responseId, last }]);
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
