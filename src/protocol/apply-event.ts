import type { ContentPart, OutputTextPart } from './content.ts';
import type { EventDraft } from './events.ts';
import type { Item, ItemType, MessageItem, ReasoningItem } from './items.ts';
import type { ResponseState } from './response.ts';

/**
 * The only accumulator: the state after `event`, given the state before it. Live views, replayed ones and what
 * is stored all come from here. Pure; `state` is never changed.
 *
 * @throws Error if the event does not fit the state, e.g. a delta for an item that was never added.
 */
export function applyEvent(state: ResponseState, event: EventDraft): ResponseState {
  switch (event.type) {
    case 'response.created':
    case 'response.queued':
    case 'response.in_progress':
    case 'response.snapshot':
    case 'response.completed':
    case 'response.incomplete':
    case 'response.failed':
    case 'response.cancelled':
      return event.state;
    case 'response.output_item.added':
      if (event.outputIndex !== state.output.length) throw misfit(event, 'its index is not the next one');
      return { ...state, output: [...state.output, event.item] };
    case 'response.output_item.done':
      return replaceItem(state, event, () => event.item);
    case 'response.content_part.added':
      return replaceItem(state, event, (item) => {
        if (event.contentIndex !== partsOf(item, event).length)
          throw misfit(event, 'its index is not the next one');
        return withParts(item, [...partsOf(item, event), event.part]);
      });
    case 'response.content_part.done':
      return replacePart(state, event, () => event.part);
    case 'response.output_text.delta':
      return replacePart(state, event, (part) => {
        const text = partOf(part, 'output_text', event);
        const logprobs =
          event.logprobs === null ? text.logprobs : [...(text.logprobs ?? []), ...event.logprobs];
        return { ...text, text: text.text + event.delta, logprobs };
      });
    case 'response.output_text.annotation.added':
      return replacePart(state, event, (part) => {
        const text: OutputTextPart = partOf(part, 'output_text', event);
        return { ...text, annotations: [...text.annotations, event.annotation] };
      });
    case 'response.refusal.delta':
      return replacePart(state, event, (part) => {
        const refusal = partOf(part, 'refusal', event);
        return { ...refusal, refusal: refusal.refusal + event.delta };
      });
    case 'response.reasoning_text.delta':
      return replacePart(state, event, (part) => {
        const reasoning = partOf(part, 'reasoning_text', event);
        return { ...reasoning, text: reasoning.text + event.delta };
      });
    case 'response.function_call_arguments.delta':
      return replaceItem(state, event, (item) => {
        const call = itemOf(item, 'function_call', event);
        return { ...call, arguments: call.arguments + event.delta };
      });
    case 'response.mcp_call_arguments.delta':
      return replaceItem(state, event, (item) => {
        const call = itemOf(item, 'mcp_call', event);
        return { ...call, arguments: call.arguments + event.delta };
      });
    case 'response.mcp_call_arguments.done':
      if (!event.starts) return state;
      return replaceItem(withUsage(state, event), event, (item) => {
        return { ...itemOf(item, 'mcp_call', event), status: 'calling', started: true };
      });
    case 'response.web_search_call.searching':
      return replaceItem(withUsage(state, event), event, (item) => {
        const { arguments: json, query } = event;
        return { ...itemOf(item, 'web_search_call', event), status: 'searching', arguments: json, query };
      });
    case 'response.output_text.done':
    case 'response.refusal.done':
    case 'response.reasoning_text.done':
    case 'response.function_call_arguments.done':
    case 'response.web_search_call.in_progress':
    case 'response.web_search_call.completed':
    case 'response.mcp_list_tools.in_progress':
    case 'response.mcp_list_tools.completed':
    case 'response.mcp_list_tools.failed':
    case 'response.mcp_call.in_progress':
    case 'response.mcp_call.completed':
    case 'response.mcp_call.failed':
      return state; // says again what other events say
    default:
      return event satisfies never;
  }
}

/** Logs of earlier versions hold no usage here. */
function withUsage(state: ResponseState, { usage }: Extract<EventDraft, { usage: unknown }>): ResponseState {
  return { ...state, usage: usage ?? state.usage };
}

type OfItem = Extract<EventDraft, { outputIndex: number }>;
type OfPart = Extract<EventDraft, { contentIndex: number }>;

function replaceItem(state: ResponseState, event: OfItem, change: (item: Item) => Item): ResponseState {
  const item = state.output[event.outputIndex];
  if (item === undefined || item.id !== event.itemId) throw misfit(event, 'there is no such item');
  return { ...state, output: state.output.with(event.outputIndex, change(item)) };
}

function replacePart(
  state: ResponseState,
  event: OfPart,
  change: (part: ContentPart) => ContentPart,
): ResponseState {
  return replaceItem(state, event, (item) => {
    const parts = partsOf(item, event);
    const part = parts[event.contentIndex];
    if (part === undefined) throw misfit(event, 'there is no such content part');
    return withParts(item, parts.with(event.contentIndex, change(part)));
  });
}

type WithParts = MessageItem | ReasoningItem;

function partsOf(item: Item, event: EventDraft): readonly ContentPart[] {
  if (item.type === 'message' || item.type === 'reasoning') return item.content;
  throw misfit(event, `a ${item.type} has no streamed content`);
}

function withParts(item: Item, content: readonly ContentPart[]): Item {
  return { ...item, content } as WithParts; // parts come from events of this very item
}

function partOf<Type extends ContentPart['type']>(part: ContentPart, type: Type, event: EventDraft) {
  if (part.type !== type) throw misfit(event, `the part is of type ${part.type}`);
  return part as Extract<ContentPart, { type: Type }>;
}

function itemOf<Type extends ItemType>(item: Item, type: Type, event: EventDraft) {
  if (item.type !== type) throw misfit(event, `the item is a ${item.type}`);
  return item as Extract<Item, { type: Type }>;
}

function misfit(event: EventDraft, why: string): Error {
  return new Error(`The event ${event.type} does not fit: ${why}.`);
}
