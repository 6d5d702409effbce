import { unusedAnswers } from '../../protocol/approvals.ts';
import type { ResponseEvent } from '../../protocol/events.ts';
import type { Ending, LogBatch } from '../../store/event-log.ts';
import type { Run } from './run.ts';
import type { Gathered } from './unsaved.ts';

/** What goes into a commit of a run. */
export interface Entry extends Gathered {
  readonly run: Run;
}

/** What the log keeps of a commit: a row for each run, and the endings among them. */
export function toBatches(entries: readonly Entry[]): {
  batches: readonly LogBatch[];
  endings: readonly Ending[];
} {
  const batches = entries.map(({ run, events }) => ({
    tenant: run.tenant,
    responseId: run.base.id,
    events,
  }));
  const endings = entries.flatMap(({ run, events, ended }) => (ended ? [toEnding(run, events)] : []));
  return { batches, endings };
}

function toEnding(run: Run, events: readonly ResponseEvent[]): Ending {
  return {
    tenant: run.tenant,
    responseId: run.base.id,
    state: run.state,
    lastSequence: events.at(-1)?.sequenceNumber ?? 0,
    firstPosition: run.inputLength,
    unusedAnswers: unusedAnswers(run.ownInput, run.state),
  };
}
