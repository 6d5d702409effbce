import { asResponseId, type ResponseId } from './ids.ts';

/** A place in the log of one response: after the event with this number. */
export interface StreamCursor {
  readonly responseId: ResponseId;
  readonly sequenceNumber: number;
}

/** The cursor as clients see it. Opaque to them; readable in a log. */
export function formatStreamCursor({ responseId, sequenceNumber }: StreamCursor): string {
  return `${responseId}~${sequenceNumber}`;
}

/** Null for anything that no stream has given out. */
export function parseStreamCursor(value: string): StreamCursor | null {
  const match = /^(resp_[0-9a-f]+)~(0|[1-9]\d{0,8})$/.exec(value);
  const responseId = asResponseId(match?.[1] ?? '');
  return responseId === null ? null : { responseId, sequenceNumber: Number(match?.[2]) };
}
