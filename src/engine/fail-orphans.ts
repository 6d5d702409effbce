import { applyEvent } from '../protocol/apply-event.ts';
import { closeOpenItems } from '../protocol/close-items.ts';
import type { EventDraft } from '../protocol/events.ts';
import { hasEnded, INITIAL_STATE, type ResponseState } from '../protocol/response.ts';
import type { Database } from '../store/database.ts';
import { commitEvents, wholeLogs } from '../store/event-log.ts';
import { countOwnInput } from '../store/items.ts';
import { findOrphans, type Orphan } from '../store/processes.ts';
import { EventNumbers } from './number-events.ts';

const BATCH = 100;

/**
 * Ends the responses that dead processes left in flight: FAILED, with everything they had told kept. Two
 * instances that do this at once write the same numbers; the first one wins.
 */
export async function failOrphans(database: Database, processId: () => string): Promise<void> {
  for (;;) {
    const orphans = await findOrphans(database, BATCH);
    for (const orphan of orphans) await failOrphan(database, orphan, processId());
    if (orphans.length < BATCH) return;
  }
}

async function failOrphan(database: Database, { tenant, id }: Orphan, processId: string): Promise<void> {
  const log = (await wholeLogs(database, { tenant }, [id])).get(id) ?? [];
  let state: ResponseState = log.reduce(applyEvent, INITIAL_STATE);
  if (hasEnded(state.status)) return;
  const drafts: EventDraft[] = [...closeOpenItems(state)];
  state = drafts.reduce(applyEvent, state);
  const message = 'The server stopped before this response was complete.';
  state = { ...state, status: 'failed', completedAt: Date.now(), error: { code: 'server_error', message } };
  drafts.push({ type: 'response.failed', state });
  const events = new EventNumbers((log.at(-1)?.sequenceNumber ?? -1) + 1).number(drafts);
  const lastSequence = events.at(-1)?.sequenceNumber ?? 0;
  const firstPosition = await countOwnInput(database, id);
  await commitEvents(database, processId, {
    batches: [{ tenant, responseId: id, events }],
    endings: [{ tenant, responseId: id, state, lastSequence, firstPosition }],
  });
}
