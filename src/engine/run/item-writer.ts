import type { ModelPart } from '../../model/model-client.ts';
import { closeItem, closePart } from '../../protocol/close-items.ts';
import type { Annotation, OutputPart, ReasoningTextPart } from '../../protocol/content.ts';
import { newItemId } from '../../protocol/ids.ts';
import type { MessageItem, ReasoningItem } from '../../protocol/items.ts';
import { CallWriter, type CallWriterOptions, type WrittenCall } from './call-writer.ts';
import { addItem, type EventTarget, type Place } from './event-target.ts';

export interface ItemWriterOptions extends CallWriterOptions {
  /** The sources that a whole text names. */
  readonly citations: (text: string) => readonly Annotation[];
}

/**
 * Turns the parts of one round into items and their events. At most one message or reasoning item is open at a
 * time; calls stay open until the round ends.
 */
export class ItemWriter {
  private readonly target: EventTarget;
  private readonly options: ItemWriterOptions;
  private open: Place | null = null;
  private encrypted: string | null = null;
  /** Annotations of the open text, or of the next one: they are told after all of it. */
  private held: readonly Annotation[] = [];
  private areTold = false;
  private readonly calls: CallWriter;

  constructor(target: EventTarget, options: ItemWriterOptions) {
    this.target = target;
    this.options = options;
    this.calls = new CallWriter(target, options);
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
        if (this.calls.isFull) return;
        this.closeOpen();
        return this.calls.open(part);
      case 'arguments':
        return this.calls.write(part);
      case 'usage':
      case 'finish':
        return; // of the round, not of an item
      default:
        part satisfies never;
    }
  }

  /** Closes the items of a round that ended well, but for the calls that this server runs, and returns the calls in order. */
  finish(): readonly WrittenCall[] {
    this.closeOpen();
    return this.calls.finish();
  }

  /** Tells what the open text names, once: its annotations, of which no more will come, and the sources that it cites. */
  tellHeld(): void {
    if (this.open === null || this.areTold) return;
    const { itemId, outputIndex } = this.open;
    const { content } = this.withParts(outputIndex);
    const part = content.at(-1);
    if (part?.type !== 'output_text') return; // without a text they say nothing
    const place = { itemId, outputIndex, contentIndex: content.length - 1 };
    const annotations = [...this.held, ...this.options.citations(part.text)];
    annotations.forEach((annotation, annotationIndex) => {
      this.target.emit({
        type: 'response.output_text.annotation.added',
        ...place,
        annotationIndex,
        annotation,
      });
    });
    this.held = [];
    this.areTold = true;
  }

  private partOfMessage(type: OutputPart['type']) {
    if (this.open === null || this.itemType(this.open) !== 'message') {
      this.closeOpen();
      this.open = addItem(this.target, {
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
    if (this.open === null || this.itemType(this.open) !== 'reasoning') {
      this.closeOpen();
      this.open = addItem(this.target, {
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

  /** The open part of an item if it has this type, else a new one behind it. */
  private partOf(place: Place, empty: OutputPart | ReasoningTextPart) {
    const { itemId, outputIndex } = place;
    const item = this.withParts(outputIndex);
    const last = item.content.length - 1;
    if (item.content[last]?.type === empty.type) return { itemId, outputIndex, contentIndex: last };
    this.tellHeld();
    for (const draft of closePart(this.withParts(outputIndex), outputIndex)) this.target.emit(draft);
    const contentIndex = last + 1;
    this.areTold = false;
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
    // What came after the text that it belongs to has no place in another one.
    if (item.content.length > 0) this.held = [];
    this.open = null;
    this.encrypted = null;
  }

  private itemType({ outputIndex }: Place) {
    return this.target.state.output[outputIndex]?.type;
  }

  private withParts(outputIndex: number): MessageItem | ReasoningItem {
    const item = this.target.state.output[outputIndex];
    if (item?.type !== 'message' && item?.type !== 'reasoning')
      throw new Error(`Item ${outputIndex} has no parts.`);
    return item;
  }
}

const EMPTY_TEXT: OutputPart = { type: 'output_text', text: '', annotations: [], logprobs: null };
const EMPTY_REFUSAL: OutputPart = { type: 'refusal', refusal: '' };
const EMPTY_REASONING: ReasoningTextPart = { type: 'reasoning_text', text: '' };
