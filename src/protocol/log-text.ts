import type { DeltaEvent, ResponseEvent } from './events.ts';

/** Deltas of one place that follow each other in a log: what they share is kept once. */
interface DeltaRow {
  readonly type: 'deltas';
  /** The first of them. */
  readonly first: NumberedDelta;
  /** The texts of the others, in order; their numbers follow on. */
  readonly more: string[];
}

type NumberedDelta = ResponseEvent & DeltaEvent;

/** A batch of events as the log keeps it: JSON, in which a stream of deltas takes little more than its text. */
export function toLogText(events: readonly ResponseEvent[]): string {
  const [first] = events;
  if (events.length === 1 && first !== undefined && isPlainDelta(first)) return `[${toDeltaText(first)}]`;
  const rows: (ResponseEvent | DeltaRow)[] = [];
  let open: DeltaRow | null = null;
  for (const event of events) {
    if (isPlainDelta(event) && open !== null && follows(open, event)) {
      open.more.push(event.delta);
      continue;
    }
    open = isPlainDelta(event) ? { type: 'deltas', first: event, more: [] } : null;
    rows.push(open ?? event);
  }
  return JSON.stringify(
    rows.map((row) => (row.type === 'deltas' && row.more.length === 0 ? row.first : row)),
  );
}

/** One delta that comes alone, as most do: JSON of its own making, which takes a fraction of the time. */
function toDeltaText(event: NumberedDelta): string {
  if (event.type !== 'response.output_text.delta') return JSON.stringify(event);
  const { type, itemId, outputIndex, contentIndex, delta, sequenceNumber } = event;
  const place = `"itemId":"${itemId}","outputIndex":${outputIndex},"contentIndex":${contentIndex}`;
  return `{"type":"${type}",${place},"delta":${JSON.stringify(delta)},"logprobs":null,"sequenceNumber":${sequenceNumber}}`;
}

/** The events of a batch. Logs of earlier versions hold every event whole. */
export function fromLogText(text: string): ResponseEvent[] {
  const rows: (ResponseEvent | DeltaRow)[] = JSON.parse(text); // written by toLogText alone
  return rows.flatMap((row) => (row.type === 'deltas' ? toDeltas(row) : row));
}

function toDeltas({ first, more }: DeltaRow): readonly ResponseEvent[] {
  const deltas = more.map((delta, index) => ({
    ...first,
    delta,
    sequenceNumber: first.sequenceNumber + index + 1,
  }));
  return [first, ...deltas];
}

/** A delta that says nothing but its text. */
function isPlainDelta(event: ResponseEvent): event is NumberedDelta {
  return 'delta' in event && !('logprobs' in event && event.logprobs !== null);
}

function follows({ first, more }: DeltaRow, event: NumberedDelta): boolean {
  if (event.type !== first.type || event.itemId !== first.itemId) return false;
  if (event.sequenceNumber !== first.sequenceNumber + more.length + 1) return false;
  return !('contentIndex' in event && 'contentIndex' in first) || event.contentIndex === first.contentIndex;
}
