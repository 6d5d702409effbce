import type { Item } from '../../protocol/items.ts';
import { invalidInput, type RequestError } from '../../protocol/request-error.ts';
import { quoted } from './sizes.ts';
import type { OwnInput } from './to-items.ts';

export interface History {
  readonly items: readonly Item[];
  /** Call ids of function calls in responses that did not complete: nobody need answer those. */
  readonly abandonedCalls: ReadonlySet<string>;
}

/**
 * What cannot be in a conversation: an answer to no call or to one answered before, two calls with one id, and a
 * call that stays unanswered (upstreams refuse that). `history` is what came before `input`.
 */
export function checkContinuation(history: History, { input, places }: OwnInput): readonly RequestError[] {
  const errors: RequestError[] = [];
  const placeOf = ({ id }: Item) => places.get(id) ?? ['input', 'items'];
  const open = new Map<string, string>();
  const answered = new Set<string>();
  const taken = new Set<string>();
  for (const item of history.items) {
    if ('callId' in item) taken.add(item.callId);
    if (item.type === 'function_call' && item.status !== 'incomplete') open.set(item.callId, item.name);
    if (item.type === 'function_call_output') answered.add(item.callId);
  }
  for (const item of input) {
    if (item.type !== 'function_call') continue;
    if (taken.has(item.callId)) {
      errors.push(invalidInput(placeOf(item), `There is another call ${quoted(item.callId)}.`));
    }
    taken.add(item.callId);
    open.set(item.callId, item.name);
  }
  for (const item of input) {
    if (item.type !== 'function_call_output') continue;
    const path = placeOf(item);
    if (!open.has(item.callId))
      errors.push(invalidInput(path, `There is no function call ${quoted(item.callId)} to answer.`));
    else if (answered.has(item.callId)) {
      errors.push(invalidInput(path, `The function call ${quoted(item.callId)} has been answered already.`));
    }
    answered.add(item.callId);
  }
  for (const [callId, name] of open) {
    if (answered.has(callId) || history.abandonedCalls.has(callId)) continue;
    const message = `The function call ${quoted(callId)} (${name.slice(0, 100)}) needs an output: give a functionCallOutput for it.`;
    errors.push(invalidInput(['input', 'items'], message));
  }
  return errors;
}
