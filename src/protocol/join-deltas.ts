import type { EventDraft } from './events.ts';

/** Two deltas of one place as one, numbered like the later; null if they do not belong together. */
export function joinDeltas<Event extends EventDraft>(last: Event | undefined, next: Event): Event | null {
  if (last === undefined || last.type !== next.type) return null;
  switch (next.type) {
    case 'response.output_text.delta': {
      if (last.type !== next.type || !samePart(last, next)) return null;
      const logprobs = last.logprobs === null ? next.logprobs : [...last.logprobs, ...(next.logprobs ?? [])];
      return { ...next, delta: last.delta + next.delta, logprobs };
    }
    case 'response.refusal.delta':
    case 'response.reasoning_text.delta':
      return last.type === next.type && samePart(last, next)
        ? { ...next, delta: last.delta + next.delta }
        : null;
    case 'response.function_call_arguments.delta':
    case 'response.mcp_call_arguments.delta':
      return last.type === next.type && last.itemId === next.itemId
        ? { ...next, delta: last.delta + next.delta }
        : null;
    default:
      return null;
  }
}

type Place = { readonly itemId: string; readonly contentIndex: number };

function samePart(one: Place, other: Place): boolean {
  return one.itemId === other.itemId && one.contentIndex === other.contentIndex;
}
