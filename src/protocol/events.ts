import type { Annotation, OutputPart, ReasoningTextPart, TokenLogprob } from './content.ts';
import type { ItemId } from './ids.ts';
import type { Item } from './items.ts';
import type { ResponseState } from './response.ts';
import type { Usage } from './usage.ts';

/**
 * What a run emits, by the names of the Responses API; `response.cancelled` and `response.snapshot`
 * are this engine's own. A lifecycle
 * event carries the whole state as of that event: the value is never changed later.
 */
export type EventDraft = LifecycleEvent | ItemEvent | PartEvent | DeltaEvent | DoneEvent | ToolEvent;

/** An event with its place in the log of its response: 0, 1, 2 … without a gap. */
export type ResponseEvent = EventDraft & { readonly sequenceNumber: number };

export type EventType = EventDraft['type'];

export interface LifecycleEvent {
  readonly type: LifecycleType;
  readonly state: ResponseState;
}

export type LifecycleType =
  | 'response.created'
  | 'response.queued'
  | 'response.in_progress'
  /** Forget what came before and go on from this state: what another process dropped of it is not said again. */
  | 'response.snapshot'
  | TerminalType;

export type TerminalType =
  | 'response.completed'
  | 'response.incomplete'
  | 'response.failed'
  | 'response.cancelled';

interface OfItem {
  readonly itemId: ItemId;
  readonly outputIndex: number;
}

interface OfPart extends OfItem {
  readonly contentIndex: number;
}

export interface ItemEvent extends OfItem {
  readonly type: 'response.output_item.added' | 'response.output_item.done';
  readonly item: Item;
}

export interface PartEvent extends OfPart {
  readonly type: 'response.content_part.added' | 'response.content_part.done';
  readonly part: OutputPart | ReasoningTextPart;
}

export type DeltaEvent =
  | (OfPart & {
      readonly type: 'response.output_text.delta';
      readonly delta: string;
      readonly logprobs: readonly TokenLogprob[] | null;
    })
  | (OfPart & {
      readonly type: 'response.refusal.delta' | 'response.reasoning_text.delta';
      readonly delta: string;
    })
  | (OfItem & {
      readonly type: 'response.function_call_arguments.delta' | 'response.mcp_call_arguments.delta';
      readonly delta: string;
    });

export type DoneEvent =
  | (OfPart & {
      readonly type: 'response.output_text.done' | 'response.reasoning_text.done';
      readonly text: string;
    })
  | (OfPart & {
      readonly type: 'response.output_text.annotation.added';
      readonly annotationIndex: number;
      readonly annotation: Annotation;
    })
  | (OfPart & { readonly type: 'response.refusal.done'; readonly refusal: string })
  | (OfItem & {
      readonly type: 'response.function_call_arguments.done';
      readonly name: string;
      readonly arguments: string;
    });

/** The steps of what this server runs. */
export type ToolEvent =
  | (OfItem & { readonly type: ToolStep })
  | (OfItem & {
      readonly type: 'response.mcp_call_arguments.done';
      readonly arguments: string;
      /** True: the call starts as soon as this is committed. Whoever finds it in the log must not make it again. */
      readonly starts: boolean;
      readonly usage: UsageSoFar;
    })
  /** The search starts as soon as this is committed. */
  | (OfItem & {
      readonly type: 'response.web_search_call.searching';
      readonly arguments: string;
      readonly query: string;
      readonly usage: UsageSoFar;
    });

/** With a call that starts: the tokens of all rounds until then. Whoever takes the run over counts on from there. */
type UsageSoFar = Usage | null;

export type ToolStep =
  | 'response.web_search_call.in_progress'
  | 'response.web_search_call.completed'
  | 'response.mcp_list_tools.in_progress'
  | 'response.mcp_list_tools.completed'
  | 'response.mcp_list_tools.failed'
  | 'response.mcp_call.in_progress'
  | 'response.mcp_call.completed'
  | 'response.mcp_call.failed';

export function isTerminal(event: EventDraft): event is LifecycleEvent & { readonly type: TerminalType } {
  switch (event.type) {
    case 'response.completed':
    case 'response.incomplete':
    case 'response.failed':
    case 'response.cancelled':
      return true;
    default:
      return false;
  }
}

export function isLifecycle(event: EventDraft): event is LifecycleEvent {
  switch (event.type) {
    case 'response.created':
    case 'response.queued':
    case 'response.in_progress':
    case 'response.snapshot':
      return true;
    default:
      return isTerminal(event);
  }
}
