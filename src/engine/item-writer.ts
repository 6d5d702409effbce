import type { ModelPart } from '../model/model-client.ts';
import { closeItem, closePart } from '../protocol/close-items.ts';
import type { Annotation, OutputPart, ReasoningTextPart } from '../protocol/content.ts';
import type { EventDraft } from '../protocol/events.ts';
import { type ItemId, newCallId, newItemId } from '../protocol/ids.ts';
import type { FunctionCallItem, Item, MessageItem, ReasoningItem } from '../protocol/items.ts';
import type { ResponseState } from '../protocol/response.ts';
import type { Route } from '../tools/toolbox.ts';

/** What the writer needs of a run: its state, and a way to change it. */
export interface EventTarget {
  readonly state: ResponseState;
  emit(draft: EventDraft): void;
}

export interface ItemWriterOptions {
  readonly round: number;
  readonly route: (name: string) => Route;
  /** False: calls after the first are dropped before anything is told of them. */
  readonly parallelToolCalls: boolean;
  /** Call ids that the conversation knows already. The writer adds its own. */
  readonly usedCallIds: Set<string>;
}

/** A call of this round and who answers it. */
export interface WrittenCall {
  readonly item: FunctionCallItem;
  readonly route: Route;
}

/** Where an item stands in the output. */
interface Place {
  readonly itemId: ItemId;
  readonly outputIndex: number;
}

/**
 * Turns the parts of one round into items and their events; the only owner of output indexes. At most one
 * message or reasoning item is open at a time; calls stay open until the round ends, since some providers
 * send the arguments of parallel calls in turns.
 */
export class ItemWriter {
  private readonly target: EventTarget;
  private readonly options: ItemWriterOptions;
  private open: Place | null = null;
  private encrypted: string | null = null;
  /** Annotations of the open text, or of the next one: they are told after all of it. */
  private held: readonly Annotation[] = [];
  private readonly calls = new Map<number, Place & { readonly route: Route }>();

  constructor(target: EventTarget, options: ItemWriterOptions) {
    this.target = target;
    this.options = options;
  }

  write(part: ModelPart): void {
    switch (part.type) {
      case 'text':
        if (part.text === '') return;
        this.target.emit({
          type: 'response.output_text.delta',
          ...this.partOfMessage('output_text'),
          delta: part.text,
          logprobs: part.logprobs,
        });
        return;
      case 'refusal':
        this.target.emit({
          type: 'response.refusal.delta',
          ...this.partOfMessage('refusal'),
          delta: part.text,
        });
        return;
      case 'reasoning':
        return this.writeReasoning(part.text, part.encrypted);
      case 'annotation':
        this.held = [...this.held, part.annotation];
        return;
      case 'call':
        return this.openCall(part);
      case 'arguments': {
        const place = this.calls.get(part.call);
        if (place === undefined || part.delta === '') return;
        const { itemId, outputIndex } = place;
        const { delta } = part;
        this.target.emit({ type: 'response.function_call_arguments.delta', itemId, outputIndex, delta });
        return;
      }
      case 'usage':
      case 'finish':
        return; // of the round, not of an item
      default:
        part satisfies never;
    }
  }

  /** Closes every item of a round that ended well, calls of unknown names as failed, and returns the calls in order. */
  finish(): readonly WrittenCall[] {
    this.closeOpen();
    return [...this.calls.values()].map(({ outputIndex, route }) => {
      const open = this.itemAt(outputIndex);
      if (open.type !== 'function_call') throw new Error(`Item ${outputIndex} is no call.`);
      const failed = route.kind === 'unknown';
      const item = failed ? { ...open, error: unknownTool(open.name) } : open;
      for (const draft of closeItem(item, outputIndex, failed ? 'failed' : 'completed'))
        this.target.emit(draft);
      return { item: { ...item, status: failed ? 'failed' : 'completed' }, route };
    });
  }

  /** Tells the annotations of the open text, of which no more will come. Without a text they say nothing. */
  tellHeld(): void {
    if (this.open === null || this.held.length === 0) return;
    const { itemId, outputIndex } = this.open;
    const { content } = this.withParts(outputIndex);
    if (content.at(-1)?.type !== 'output_text') return;
    const place = { itemId, outputIndex, contentIndex: content.length - 1 };
    this.held.forEach((annotation, annotationIndex) => {
      this.target.emit({
        type: 'response.output_text.annotation.added',
        ...place,
        annotationIndex,
        annotation,
      });
    });
    this.held = [];
  }

  private partOfMessage(type: OutputPart['type']) {
    if (this.open === null || this.itemAt(this.open.outputIndex).type !== 'message') {
      this.closeOpen();
      this.open = this.add({
        type: 'message',
        id: newItemId('msg'),
        status: 'in_progress',
        round: this.options.round,
        role: 'assistant',
        content: [],
      });
    }
    return this.partOf(this.open, type === 'refusal' ? EMPTY_REFUSAL : EMPTY_TEXT);
  }

  private writeReasoning(text: string, encrypted: string | null): void {
    if (text === '' && encrypted === null) return;
    if (this.open === null || this.itemAt(this.open.outputIndex).type !== 'reasoning') {
      this.closeOpen();
      this.open = this.add({
        type: 'reasoning',
        id: newItemId('rs'),
        status: 'in_progress',
        round: this.options.round,
        content: [],
        summary: [],
        encryptedContent: null,
      });
    }
    if (encrypted !== null) this.encrypted = (this.encrypted ?? '') + encrypted;
    if (text === '') return;
    const place = this.partOf(this.open, EMPTY_REASONING);
    this.target.emit({ type: 'response.reasoning_text.delta', ...place, delta: text });
  }

  private openCall({ call, callId, name }: Extract<ModelPart, { type: 'call' }>): void {
    if (!this.options.parallelToolCalls && this.calls.size > 0) return;
    this.closeOpen();
    const known = this.options.usedCallIds;
    const id = callId !== null && !known.has(callId) ? callId : newCallId();
    known.add(id);
    const place = this.add({
      type: 'function_call',
      id: newItemId('fc'),
      status: 'in_progress',
      round: this.options.round,
      callId: id,
      name,
      arguments: '',
      error: null,
    });
    this.calls.set(call, { ...place, route: this.options.route(name) });
  }

  private add(item: Item): Place {
    const place = { itemId: item.id, outputIndex: this.target.state.output.length };
    this.target.emit({ type: 'response.output_item.added', ...place, item });
    return place;
  }

  /** The open part of an item if it has this type, else a new one behind it. */
  private partOf(place: Place, empty: OutputPart | ReasoningTextPart) {
    const { itemId, outputIndex } = place;
    const item = this.withParts(outputIndex);
    const last = item.content.length - 1;
    if (item.content[last]?.type === empty.type) return { itemId, outputIndex, contentIndex: last };
    this.tellHeld();
    for (const draft of closePart(this.withParts(outputIndex), outputIndex)) this.target.emit(draft);
    const contentIndex = last + 1;
    this.target.emit({ type: 'response.content_part.added', itemId, outputIndex, contentIndex, part: empty });
    return { itemId, outputIndex, contentIndex };
  }

  private closeOpen(): void {
    if (this.open === null) return;
    this.tellHeld();
    const { outputIndex } = this.open;
    const item = this.withParts(outputIndex);
    const whole = item.type === 'reasoning' ? { ...item, encryptedContent: this.encrypted } : item;
    for (const draft of closeItem(whole, outputIndex, 'completed')) this.target.emit(draft);
    this.open = null;
    this.encrypted = null;
  }

  private withParts(outputIndex: number): MessageItem | ReasoningItem {
    const item = this.itemAt(outputIndex);
    if (item.type !== 'message' && item.type !== 'reasoning') throw new Error(`A ${item.type} has no parts.`);
    return item;
  }

  private itemAt(outputIndex: number): Item {
    const item = this.target.state.output[outputIndex];
    if (item === undefined) throw new Error(`There is no item ${outputIndex}.`);
    return item;
  }
}

const EMPTY_TEXT: OutputPart = { type: 'output_text', text: '', annotations: [], logprobs: null };
const EMPTY_REFUSAL: OutputPart = { type: 'refusal', refusal: '' };
const EMPTY_REASONING: ReasoningTextPart = { type: 'reasoning_text', text: '' };

function unknownTool(name: string): FunctionCallItem['error'] {
  return {
    type: 'unknown_tool',
    code: null,
    message: `The model called "${name}", which it was not offered.`,
  };
}
