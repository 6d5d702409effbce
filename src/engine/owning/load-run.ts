import { hasEnded } from '../../protocol/response.ts';
import type { Tenants } from '../../store/database.ts';
import { wholeLogs } from '../../store/event-log.ts';
import { branchItems, ownInputOf } from '../../store/items.ts';
import { findAnyResponse } from '../../store/response-rows.ts';
import { foldLog } from '../fold-log.ts';
import { Run, type RunOptions } from '../run/run.ts';
import type { Orphan } from './end-orphans.ts';
import { takeOver } from './take-over.ts';

/** How a run tells what becomes of it. */
export type Telling = Pick<RunOptions, 'sink' | 'joining'>;

/**
 * A background run as the database has it, to go on with. Its first event is emitted, not told: that it has begun, or,
 * if another process had begun it, what of that stands.
 *
 * @throws Error if what is stored makes no sense; what the database throws.
 */
export async function loadRun(
  tenants: Tenants,
  { tenant, id }: Pick<Orphan, 'tenant' | 'id'>,
  telling: Telling,
): Promise<Run> {
  const scope = { tenant };
  const row = await findAnyResponse(tenants, scope, id);
  if (row === null) throw new Error('There is no such response.');
  const { base } = row;
  const previous = base.previousResponseId;
  const [logs, input, history] = await Promise.all([
    wholeLogs(tenants, scope, [id]),
    ownInputOf(tenants, scope, id),
    previous === null ? [] : branchItems(tenants, scope, previous),
  ]);
  const log = logs.get(id);
  if (log === undefined) throw new Error('It has no log.');
  const logged = foldLog(log);
  if (hasEnded(logged.status)) throw new Error('Its log says that it has ended.');
  const plan = takeOver(logged);
  const run = new Run({
    tenant,
    base,
    context: [...history.map(({ item }) => item), ...input],
    inputLength: input.length,
    state: logged,
    nextSequence: (log.at(-1)?.sequenceNumber ?? -1) + 1,
    isTakenOver: plan.kind === 'resumed',
    ...telling,
  });
  switch (plan.kind) {
    case 'fresh':
      run.emit({ type: 'response.in_progress', state: { ...logged, status: 'in_progress' } });
      break;
    case 'resumed':
      run.emit({ type: 'response.snapshot', state: plan.state });
      break;
    default:
      plan satisfies never;
  }
  return run;
}
