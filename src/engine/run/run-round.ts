import type { FinishReason, ModelClient, ModelRequest, TakeParts } from '../../model/model-client.ts';
import { orAborted } from '../../util/async-iteration.ts';
import type { WrittenCall } from './call-writer.ts';
import { ItemWriter, type ItemWriterOptions } from './item-writer.ts';
import { joinParts } from './join-parts.ts';
import type { Run } from './run.ts';

export interface Round {
  readonly model: ModelClient;
  readonly request: ModelRequest;
  readonly writing: ItemWriterOptions;
}

export interface RoundResult {
  readonly reason: FinishReason;
  /** The calls of the round, in order; none unless it ended well. Those that this server runs are still open. */
  readonly calls: readonly WrittenCall[];
}

/**
 * One model call, written into the run as it arrives. When it stops early its items stay open; whoever ends the
 * run closes them.
 *
 * @throws ModelError when the call fails; the reason of the run's signal when it is stopped.
 */
export async function runRound(run: Run, { model, request, writing }: Round): Promise<RoundResult> {
  const writer = new ItemWriter(run, writing);
  let reason: FinishReason = 'stop';
  try {
    const take: TakeParts = (parts) => {
      for (const part of run.joins ? joinParts(parts) : parts) {
        if (part.type === 'usage') run.addUsage(part.usage);
        else if (part.type === 'finish') reason = part.reason;
        else writer.write(part);
      }
      run.flush();
      const room = run.room();
      return room && orAborted(room, run.signal);
    };
    await model.stream(request, take, run.signal);
  } finally {
    writer.tellHeld(); // also when the round stops early
  }
  if (reason !== 'stop') return { reason, calls: [] };
  const calls = writer.finish();
  run.flush();
  return { reason, calls };
}
