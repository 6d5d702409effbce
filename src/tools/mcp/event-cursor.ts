import { bracketsIn, checkSize, type MessageSize } from './messages.ts';

/** How far an event stream has been read, told from its bytes as they pass by. */
export interface EventCursor {
  /** @throws ToolFailure `protocol` for an event that is more than anybody here reads. */
  read(chunk: Uint8Array): void;
  /** The stream has ended, perhaps within an event, which then does not count. Another may follow. */
  breakOff(): void;
  /** The id of the last whole event that had one; null if none had. */
  readonly lastEventId: string | null;
  /** How long to wait before asking for more, in milliseconds, if the server has said so. */
  readonly retryMs: number | null;
}

/** Longer than any id. Of longer lines only the beginning is kept, as a result may be one line of many megabytes. */
const MAX_LINE = 1024;

const NOTHING: MessageSize = { length: 0, brackets: 0 };

export function createEventCursor(): EventCursor {
  const decoder = new TextDecoder();
  let unfinished = '';
  let endsInReturn = false;
  let event: MessageSize = NOTHING;
  let id: string | null = null;
  let lastEventId: string | null = null;
  let retryMs: number | null = null;
  const readLine = (line: string) => {
    if (line === '') {
      event = NOTHING;
      lastEventId = id ?? lastEventId;
      id = null;
    }
    if (line.startsWith('id:')) id = line.slice(3).trim();
    if (/^retry: ?\d{1,6}$/.test(line)) retryMs = Number(line.slice(6));
  };
  return {
    read(chunk) {
      const text = decoder.decode(chunk, { stream: true });
      if (text === '') return;
      const lines = `${unfinished}${endsInReturn ? '\r' : ''}${text}`.split(/\r\n|\n|\r(?!$)/);
      const last = lines.pop() ?? '';
      endsInReturn = last.endsWith('\r'); // half of a line's end, perhaps
      unfinished = (endsInReturn ? last.slice(0, -1) : last).slice(0, MAX_LINE);
      event = { length: event.length + text.length, brackets: event.brackets + bracketsIn(chunk) };
      checkSize(event);
      for (const line of lines) readLine(line);
    },
    breakOff() {
      decoder.decode();
      if (endsInReturn) readLine(unfinished);
      unfinished = '';
      endsInReturn = false;
      event = NOTHING;
      id = null;
    },
    get lastEventId() {
      return lastEventId;
    },
    get retryMs() {
      return retryMs;
    },
  };
}
