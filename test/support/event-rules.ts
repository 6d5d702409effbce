import { expect } from 'vitest';
import { feedForeignAccumulator } from './foreign-accumulator.ts';
import type { StreamEvent } from './stream.ts';

const TERMINAL = {
  ResponseCompletedEvent: 'COMPLETED',
  ResponseIncompleteEvent: 'INCOMPLETE',
  ResponseFailedEvent: 'FAILED',
  ResponseCancelledEvent: 'CANCELLED',
} as const;

interface OpenItem {
  readonly id: string;
  readonly typename: string;
  /** Parts begun so far; the last one is open while `partOpen`. */
  parts: number;
  partOpen: boolean;
  /** The joined deltas of the open part, or of the arguments. */
  text: string;
  /** Set once the done event of the text has come. */
  textDone: boolean;
  readonly contents: string[];
  annotations: unknown[];
}

/**
 * The rules of every stream, checked on one that was read from its start to its end: order, numbers, indexes,
 * one end, and that deltas, done events, items and the terminal event all say the same.
 */
export function checkEventRules(events: readonly StreamEvent[]): void {
  expect(events.map(({ sequenceNumber }) => sequenceNumber)).toEqual(events.map((_, index) => index));
  expect(new Set(events.map(({ cursor }) => cursor)).size).toBe(events.length);
  expect(events.slice(0, 2).map(({ __typename }) => __typename)).toEqual([
    'ResponseCreatedEvent',
    'ResponseInProgressEvent',
  ]);
  const last = events.at(-1);
  expect(Object.keys(TERMINAL)).toContain(last?.__typename);
  const checker = new Checker();
  for (const event of events.slice(2, -1)) checker.take(event);
  checker.end(last as StreamEvent);
  feedForeignAccumulator(events);
}

class Checker {
  private readonly open = new Map<number, OpenItem>();
  // biome-ignore lint/suspicious/noExplicitAny: items as they come
  private readonly done: any[] = [];
  private count = 0;

  take(event: StreamEvent): void {
    const { __typename: type } = event;
    if (type === 'OutputItemAddedEvent') return this.add(event);
    const item = this.open.get(event['outputIndex']);
    if (item === undefined)
      throw new Error(`${type} ${event.sequenceNumber}: no open item ${event['outputIndex']}`);
    expect(event['itemId'], type).toBe(item.id);
    switch (type) {
      case 'OutputItemDoneEvent':
        return this.finish(event, item);
      case 'ContentPartAddedEvent':
        expect(item.partOpen, 'a part is open').toBe(false);
        expect(event['contentIndex']).toBe(item.parts);
        expect(textIn(event['part'])).toBe('');
        Object.assign(item, {
          parts: item.parts + 1,
          partOpen: true,
          text: '',
          textDone: false,
          annotations: [],
        });
        return;
      case 'ContentPartDoneEvent':
        this.inOpenPart(event, item);
        expect(item.textDone).toBe(true);
        expect(textIn(event['part'])).toBe(item.text);
        if (event['part'].annotations) expect(event['part'].annotations).toEqual(item.annotations);
        item.contents.push(item.text);
        item.partOpen = false;
        return;
      case 'OutputTextDeltaEvent':
      case 'RefusalDeltaEvent':
      case 'ReasoningTextDeltaEvent':
        this.inOpenPart(event, item);
        expect(item.textDone, 'a delta after done').toBe(false);
        expect(event['delta'], 'an empty delta').not.toBe('');
        item.text += event['delta'];
        return;
      case 'OutputTextAnnotationAddedEvent':
        this.inOpenPart(event, item);
        expect(event['annotationIndex']).toBe(item.annotations.length);
        item.annotations.push(event['annotation']);
        return;
      case 'OutputTextDoneEvent':
      case 'ReasoningTextDoneEvent':
      case 'RefusalDoneEvent':
        this.inOpenPart(event, item);
        expect(event['text'] ?? event['refusal']).toBe(item.text);
        item.textDone = true;
        return;
      case 'FunctionCallArgumentsDeltaEvent':
        expect(item.typename).toBe('FunctionCall');
        expect(item.textDone, 'a delta after done').toBe(false);
        item.text += event['delta'];
        return;
      case 'FunctionCallArgumentsDoneEvent':
        expect(event['arguments']).toBe(item.text);
        item.textDone = true;
        return;
      default:
        throw new Error(`${type} cannot stand here`);
    }
  }

  end(last: StreamEvent): void {
    expect([...this.open.keys()], 'items still open at the end').toEqual([]);
    const { response } = last;
    expect(response.status).toBe(TERMINAL[last.__typename as keyof typeof TERMINAL]);
    expect(response.completedAt).not.toBeNull();
    expect(response.output).toEqual(this.done);
    expect(response.outputText).toBe(
      this.done.map((item) => (item.__typename === 'Message' ? item.text : '')).join(''),
    );
    expect(response.error === null).toBe(response.status !== 'FAILED');
    expect(response.incompleteDetails === null).toBe(response.status !== 'INCOMPLETE');
    if (response.status === 'COMPLETED') {
      expect(this.done.filter((item) => item.status === 'INCOMPLETE')).toEqual([]);
    }
  }

  private add(event: StreamEvent): void {
    const { item, itemId, outputIndex } = event;
    expect(outputIndex).toBe(this.count);
    expect(item.id).toBe(itemId);
    expect(item.status).toBe('IN_PROGRESS');
    if (item.__typename === 'FunctionCall') expect([item.arguments, item.error]).toEqual(['', null]);
    this.count++;
    this.open.set(outputIndex, {
      id: itemId,
      typename: item.__typename,
      parts: 0,
      partOpen: false,
      text: '',
      textDone: false,
      contents: [],
      annotations: [],
    });
  }

  private finish({ item, outputIndex }: StreamEvent, open: OpenItem): void {
    expect(item.__typename).toBe(open.typename);
    expect(['COMPLETED', 'INCOMPLETE', 'FAILED']).toContain(item.status);
    switch (item.__typename) {
      case 'FunctionCall':
        expect(open.textDone, 'arguments not done').toBe(true);
        expect(item.arguments).toBe(open.text);
        expect(item.error === null).toBe(item.status !== 'FAILED');
        break;
      case 'FunctionCallOutput':
        break; // comes whole
      default:
        expect(open.partOpen, 'a part is open').toBe(false);
        expect(item.content.map(textIn)).toEqual(open.contents);
    }
    this.done[outputIndex] = item;
    this.open.delete(outputIndex);
  }

  private inOpenPart(event: StreamEvent, item: OpenItem): void {
    expect(item.partOpen, `${event.__typename} outside a part`).toBe(true);
    expect(event['contentIndex']).toBe(item.parts - 1);
  }
}

function textIn(part: { readonly text?: string; readonly refusal?: string }): string | undefined {
  return part.text ?? part.refusal;
}
