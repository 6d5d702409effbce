/** How far an event stream has been read, told from its bytes as they pass by. */
export interface EventCursor {
  read(chunk: Uint8Array): void;
  /** The stream has ended, perhaps within an event, which then does not count. Another may follow. */
  breakOff(): void;
  /** How much of an event that has not ended yet has been read, in characters. */
  readonly eventLength: number;
  /** The id of the last whole event that had one; null if none had. */
  readonly lastEventId: string | null;
  /** How long to wait before asking for more, in milliseconds, if the server has said so. */
  readonly retryMs: number | null;
}

/** Longer than any id. Of longer lines only the beginning is kept, as a result may be one line of many megabytes. */
const MAX_LINE = 1024;

export function createEventCursor(): EventCursor {
  const decoder = new TextDecoder();
  let unfinished = '';
  let endsInReturn = false;
  let eventLength = 0;
  let id: string | null = null;
  let lastEventId: string | null = null;
  let retryMs: number | null = null;
  const readLine = (line: string) => {
    if (line === '') {
      eventLength = 0;
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
      eventLength += text.length;
      for (const line of lines) readLine(line);
    },
    breakOff() {
      decoder.decode();
      if (endsInReturn) readLine(unfinished);
      unfinished = '';
      endsInReturn = false;
      eventLength = 0;
      id = null;
    },
    get eventLength() {
      return eventLength;
    },
    get lastEventId() {
      return lastEventId;
    },
    get retryMs() {
      return retryMs;
    },
  };
}
