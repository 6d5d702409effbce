import type { Item } from '../../protocol/items.ts';
import { invalidInput, type RequestError } from '../../protocol/request-error.ts';

export interface History {
  readonly items: readonly Item[];
  /** Call ids of function calls in responses that did not complete: nobody need answer those. */
  readonly abandonedCalls: ReadonlySet<string>;
}

/**
 * What cannot be in a conversation: an answer to no call or to one answered before, two calls with one id, and a
 * call that stays unanswered (upstreams refuse that). `history` is what came before `input`.
 */
export function checkContinuation(history: History, input: readonly Item[]): readonly RequestError[] {
  const errors: RequestError[] = [];
  const open = new Map<string, string>();
  const answered = new Set<string>();
  const taken = new Set<string>();
  for (const item of history.items) {
    if ('callId' in item) taken.add(item.callId);
    if (item.type === 'function_call' && item.status !== 'incomplete') open.set(item.callId, item.name);
    if (item.type === 'function_call_output') answered.add(item.callId);
  }
  input.forEach((item, index) => {
    if (item.type !== 'function_call') return;
    if (taken.has(item.callId)) {
      errors.push(invalidInput(pathOf(index, 'functionCall'), `There is another call "${item.callId}".`));
    }
    taken.add(item.callId);
    open.set(item.callId, item.name);
  });
  input.forEach((item, index) => {
    if (item.type !== 'function_call_output') return;
    const path = pathOf(index, 'functionCallOutput');
    if (!open.has(item.callId))
      errors.push(invalidInput(path, `There is no function call "${item.callId}" to answer.`));
    else if (answered.has(item.callId)) {
      errors.push(invalidInput(path, `The function call "${item.callId}" has been answered already.`));
    }
    answered.add(item.callId);
  });
  for (const [callId, name] of open) {
    if (answered.has(callId) || history.abandonedCalls.has(callId)) continue;
    const message = `The function call "${callId}" (${name}) needs an output: give a functionCallOutput for it.`;
    errors.push(invalidInput(['input', 'items'], message));
  }
  return errors;
}

function pathOf(index: number, kind: 'functionCall' | 'functionCallOutput'): readonly string[] {
  return ['input', 'items', String(index), kind, 'callId'];
}
