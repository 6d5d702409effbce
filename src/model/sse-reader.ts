import { ModelError } from './model-client.ts';

/** One record of an event stream. `event` is '' for the usual records without a name. */
export interface SseRecord {
  readonly event: string;
  readonly data: string;
}

/** More than this in one line is no event stream. In characters. */
const MAX_LINE = 16 * 1024 * 1024;

/** More lines than this in one record neither. */
const MAX_DATA_LINES = 1000;

/**
 * Turns the bytes of an event stream into records, one batch for each read.
 * As lenient as the providers are loose: CRLF, no space after the colon, comments, records that no blank
 * line ends (https://html.spec.whatwg.org/multipage/server-sent-events.html has the strict form).
 */
export class SseReader {
  private readonly decoder = new TextDecoder();
  /** The pieces of a line that has not ended. */
  private pieces: string[] = [];
  private held = 0;
  private event = '';
  private data: string[] = [];

  /** The records that these bytes complete. */
  push(bytes: Uint8Array): readonly SseRecord[] {
    return this.read(this.decoder.decode(bytes, { stream: true }));
  }

  /** What is left when nothing more comes. */
  end(): readonly SseRecord[] {
    const records = this.read(`${this.decoder.decode()}\n`);
    this.flush(records);
    return records;
  }

  private read(text: string): SseRecord[] {
    if (this.isBetweenRecords && isOneRecord(text))
      return [{ event: '', data: text.slice(PREFIX.length, -2) }];
    const records: SseRecord[] = [];
    const lines = text.split('\n');
    const last = lines.pop() ?? '';
    for (const [index, end] of lines.entries()) {
      const line = index === 0 ? this.pieces.join('') + end : end;
      this.take(line.endsWith('\r') ? line.slice(0, -1) : line, records);
    }
    if (lines.length > 0) this.pieces = [last];
    else this.pieces.push(last);
    this.held = lines.length > 0 ? last.length : this.held + last.length;
    if (this.held > MAX_LINE) throw new ModelError('server_error', 'The model sent a line without end.');
    return records;
  }

  private get isBetweenRecords(): boolean {
    return this.held === 0 && this.data.length === 0 && this.event === '';
  }

  private take(line: string, records: SseRecord[]): void {
    if (line === '') return this.flush(records);
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment, sent to keep the connection open
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.event = value;
    else if (field === 'data') {
      // Some providers put no blank line between records; each of theirs is one line of JSON.
      if (this.data.length === 1 && isWhole(this.data[0] ?? '')) this.flush(records);
      this.data.push(value);
      if (this.data.length > MAX_DATA_LINES) {
        throw new ModelError('server_error', 'The model sent a record without end.');
      }
    }
  }

  private flush(records: SseRecord[]): void {
    if (this.data.length > 0) records.push({ event: this.event, data: this.data.join('\n') });
    this.event = '';
    this.data = [];
  }
}

const PREFIX = 'data: ';

/** What servers that speak word by word send at once: one line of data, and an empty one. */
function isOneRecord(text: string): boolean {
  return text.startsWith(PREFIX) && text.endsWith('\n\n') && text.search(/[\r\n]/) === text.length - 2;
}

function isWhole(data: string): boolean {
  if (data === '[DONE]') return true;
  try {
    JSON.parse(data);
    return true;
  } catch {
    return false;
  }
}
