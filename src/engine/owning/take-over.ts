import { type Item, isOpen, type ToolError } from '../../protocol/items.ts';
import type { ResponseState } from '../../protocol/response.ts';
import { hasStarted, resumePoint } from '../run/resume-point.ts';

/** What another process goes on from. */
export type TakeOver =
  /** Nobody has begun it. */
  | { readonly kind: 'fresh' }
  | {
      readonly kind: 'resumed';
      /** What stays; nothing in it is open. */
      readonly state: ResponseState;
      readonly nextRound: number;
      /** True if the client is to answer next. */
      readonly isOver: boolean;
    };

/**
 * What becomes of a run whose process has gone, given what its log comes to. No tool is called twice: of a round of
 * which a call has started everything stays, and calls without a result have failed. What came after the last such
 * round is dropped, for the model to be asked again: nothing was done on its account, and its tokens are in no log.
 */
export function takeOver(state: ResponseState): TakeOver {
  if (state.status === 'queued') return { kind: 'fresh' };
  const kept = state.output.reduce(
    (last, item) => Math.max(last, hasStarted(item) ? (item.round ?? -1) : -1),
    -1,
  );
  const output = state.output.flatMap((item): readonly Item[] => {
    if (item.round === null) return keepWithoutRound(item);
    return item.round <= kept ? [isOpen(item) ? interrupt(item) : item] : [];
  });
  const { round: nextRound, isOver } = resumePoint(output);
  return { kind: 'resumed', state: { ...state, status: 'in_progress', output }, nextRound, isOver };
}

/** Lists of tools and approved calls, which come before the first round: what is not begun is done again. */
function keepWithoutRound(item: Item): readonly Item[] {
  if (!isOpen(item)) return [item];
  return hasStarted(item) ? [interrupt(item)] : [];
}

function interrupt(item: Item): Item {
  if (item.type !== 'mcp_call' && item.type !== 'web_search_call') return { ...item, status: 'incomplete' };
  return { ...item, status: 'failed', error: hasStarted(item) ? OUTCOME_UNKNOWN : NOT_MADE };
}

/** What the model is told. */
const OUTCOME_UNKNOWN: ToolError = {
  type: 'interrupted',
  code: null,
  message: 'This call was interrupted: whether it took effect is not known, and it is not made again.',
};
const NOT_MADE: ToolError = {
  type: 'interrupted',
  code: null,
  message: 'This call was not made: the server that was to make it stopped before.',
};
