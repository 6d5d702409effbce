import type { Item } from '../protocol/items.ts';

/*
 * A conversation that is too long for its model loses whole turns, the oldest first. A turn is a user message with
 * everything up to the next one; turns that a call and its answer tie together count as one. What was said before
 * the first user message is a turn too.
 */

/** The conversation without what was said before the place `start`, but for what is never left out. */
export function cutContext(context: readonly Item[], start: number): readonly Item[] {
  return start === 0 ? context : context.filter((item, index) => index >= start || isLasting(item));
}

/**
 * Where to start, if the conversation from `start` on is still too long: behind the older half of its turns, rounded
 * up. The last turn does not count and is never cut; null if there is no other.
 */
export function nextCut(context: readonly Item[], start: number): number | null {
  const turns = turnsOf(context).filter((turn) => turn >= start);
  return turns.length < 2 ? null : (turns[Math.ceil((turns.length - 1) / 2)] ?? null);
}

/** Rules that hold for the whole conversation. Lists of tools are not sent, so that leaving them out gains nothing. */
function isLasting(item: Item): boolean {
  if (item.type === 'message') return item.role === 'system' || item.role === 'developer';
  return item.type === 'mcp_list_tools';
}

/** The places at which turns begin. */
function turnsOf(context: readonly Item[]): readonly number[] {
  const lastAnswers = new Map<string, number>();
  context.forEach((item, index) => {
    const call = callAnsweredBy(item);
    if (call !== null) lastAnswers.set(call, index);
  });
  const turns: number[] = [];
  let tiedUntil = -1;
  context.forEach((item, index) => {
    const begins = turns.length === 0 ? !isLasting(item) : item.type === 'message' && item.role === 'user';
    if (begins && index > tiedUntil) turns.push(index);
    const call = callMadeBy(item);
    if (call !== null) tiedUntil = Math.max(tiedUntil, lastAnswers.get(call) ?? -1);
  });
  return turns;
}

/** The call that waits for another item to answer it; null for calls that hold their own results. */
function callMadeBy(item: Item): string | null {
  if (item.type === 'function_call') return item.callId;
  return item.type === 'mcp_approval_request' ? item.id : null;
}

function callAnsweredBy(item: Item): string | null {
  if (item.type === 'function_call_output') return item.callId;
  if (item.type === 'mcp_approval_response') return item.approvalRequestId;
  return item.type === 'mcp_call' ? item.approvalRequestId : null;
}
