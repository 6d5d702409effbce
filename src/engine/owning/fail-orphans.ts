import { applyEvent } from '../../protocol/apply-event.ts';
import { unusedAnswers } from '../../protocol/approvals.ts';
import { closeOpenItems } from '../../protocol/close-items.ts';
import type { EventDraft, ResponseEvent } from '../../protocol/events.ts';
import { hasEnded, INITIAL_STATE, type ResponseState } from '../../protocol/response.ts';
import type { Database } from '../../store/database.ts';
import { commitEvents, wholeLogs } from '../../store/event-log.ts';
import { ownInputOf } from '../../store/items.ts';
import { findOrphans, type Orphan } from '../../store/processes.ts';
import type { Logger } from '../../util/logger.ts';
import { EventNumbers } from '../run/number-events.ts';

export interface FailOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly processId: () => string;
}

const BATCH = 100;

/**
 * Ends the responses that dead processes left in flight: FAILED, with everything they had told kept. Two
 * instances that do this at once write the same numbers; the first one wins.
 */
export async function failOrphans(options: FailOptions): Promise<void> {
  for (;;) {
    const orphans = await findOrphans(options.database, BATCH);
    let ended = 0;
    for (const orphan of orphans) {
      try {
        await failOrphan(options, orphan);
        options.logger.info({ responseId: orphan.id }, 'a response of a dead process was ended as failed');
        ended++;
      } catch (error) {
        options.logger.error(
          { error, responseId: orphan.id },
          'a response that a dead process left could not be ended',
        );
      }
    }
    if (orphans.length < BATCH || ended === 0) return;
  }
}

/** Ends a response in flight that nobody runs any more: FAILED, as far as its log tells it. */
export async function failOrphan(
  { database, processId }: FailOptions,
  { tenant, id }: Orphan,
): Promise<void> {
  const log = (await wholeLogs(database, { tenant }, [id])).get(id) ?? [];
  let state = fold(log);
  if (hasEnded(state.status)) return;
  const drafts: EventDraft[] = [...closeOpenItems(state)];
  state = drafts.reduce(applyEvent, state);
  const message = 'The server stopped before this response was complete.';
  state = { ...state, status: 'failed', completedAt: Date.now(), error: { code: 'server_error', message } };
  drafts.push({ type: 'response.failed', state });
  const events = new EventNumbers((log.at(-1)?.sequenceNumber ?? -1) + 1).number(drafts);
  const lastSequence = events.at(-1)?.sequenceNumber ?? 0;
  const input = await ownInputOf(database, id);
  await commitEvents(database, processId(), {
    batches: [{ tenant, responseId: id, events }],
    endings: [
      {
        tenant,
        responseId: id,
        state,
        lastSequence,
        firstPosition: input.length,
        unusedAnswers: unusedAnswers(input, state),
      },
    ],
  });
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
