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

interface PartPlace extends Place {
  readonly contentIndex: number;
}

/** The item that is written, and the last of its parts: where the next text goes, the state need not be asked. */
interface OpenItem extends Place {
  readonly type: 'message' | 'reasoning';
  part: OutputPart['type'] | ReasoningTextPart['type'] | null;
  place: PartPlace | null;
}

/**
 * Turns the parts of one round into items and their events. At most one message or reasoning item is open at a
 * time; calls stay open until the round ends.
 */
export class ItemWriter {
  private readonly target: EventTarget;
  private readonly options: ItemWriterOptions;
  private open: OpenItem | null = null;
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
        return this.writeText(part);
      case 'refusal':
        this.target.emit({
          type: 'response.refusal.delta',
          ...this.partOfMessage(EMPTY_REFUSAL),
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
    const { place } = this.open;
    const part = place && this.withParts(place.outputIndex).content.at(-1);
    if (place === null || part?.type !== 'output_text') return; // without a text they say nothing
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

  /** The path of most deltas: nothing is looked up or copied. */
  private writeText({ text: delta, logprobs }: Extract<ModelPart, { type: 'text' }>): void {
    const { itemId, outputIndex, contentIndex } = this.partOfMessage(EMPTY_TEXT);
    const type = 'response.output_text.delta';
    this.target.emit({ type, itemId, outputIndex, contentIndex, delta, logprobs });
  }

  private partOfMessage(empty: OutputPart): PartPlace {
    if (this.open?.type === 'message') return this.partOf(this.open, empty);
    return this.partOf(
      this.begin({
        type: 'message',
        id: newItemId('msg'),
        status: 'in_progress',
        round: this.options.round,
        role: 'assistant',
        content: [],
      }),
      empty,
    );
  }

  private writeReasoning(text: string, encrypted: string | null): void {
    if (text === '' && encrypted === null) return;
    const open =
      this.open?.type === 'reasoning'
        ? this.open
        : this.begin({
            type: 'reasoning',
            id: newItemId('rs'),
            status: 'in_progress',
            round: this.options.round,
            content: [],
            summary: [],
            encryptedContent: null,
          });
    if (encrypted !== null) this.encrypted = (this.encrypted ?? '') + encrypted;
    if (text === '') return;
    const place = this.partOf(open, EMPTY_REASONING);
    this.target.emit({ type: 'response.reasoning_text.delta', ...place, delta: text });
  }

  /** Closes what is open, and opens this. */
  private begin(item: MessageItem | ReasoningItem): OpenItem {
    this.closeOpen();
    const { outputIndex } = addItem(this.target, item);
    this.open = { type: item.type, itemId: item.id, outputIndex, part: null, place: null };
    return this.open;
  }

  /** The last part of the open item if it has this type, else a new one behind it. */
  private partOf(open: OpenItem, empty: OutputPart | ReasoningTextPart): PartPlace {
    if (open.place !== null && open.part === empty.type) return open.place;
    const { itemId, outputIndex } = open;
    this.tellHeld();
    for (const draft of closePart(this.withParts(outputIndex), outputIndex)) this.target.emit(draft);
    const contentIndex = open.place === null ? 0 : open.place.contentIndex + 1;
    open.part = empty.type;
    open.place = { itemId, outputIndex, contentIndex };
    this.areTold = false;
    this.target.emit({ type: 'response.content_part.added', ...open.place, part: empty });
    return open.place;
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
