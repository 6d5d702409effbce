/** Finds the end of an HTTP body, and takes the marks of the chunked encoding out of it. */
export class BodyReader {
  private readonly isChunked: boolean;
  /** What is left of the body or of the chunk under way, in bytes; of a chunk with its line end. */
  private left: number;
  private line = '';
  private inTrailer = false;

  /** @param head the status line and the headers */
  constructor(head: string) {
    this.isChunked = /\ntransfer-encoding: *chunked/i.test(head);
    this.left = this.isChunked ? 0 : Number(/\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  }

  /** True once the body has ended. */
  push(bytes: Buffer, onBody: (bytes: Buffer) => void): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.left > 0) at = this.takeBody(bytes, at, onBody);
      else {
        const end = bytes.indexOf('\n', at);
        this.line += bytes.toString('latin1', at, end < 0 ? bytes.length : end);
        if (end < 0) return false;
        at = end + 1;
        if (this.takeLine()) return true;
      }
      if (this.left === 0 && !this.isChunked) return true;
    }
    return this.left === 0 && !this.isChunked;
  }

  private takeBody(bytes: Buffer, at: number, onBody: (bytes: Buffer) => void): number {
    const end = Math.min(bytes.length, at + this.left);
    this.left -= end - at;
    // The last two bytes of a chunk are its line end.
    const text = this.isChunked ? end - Math.max(0, 2 - this.left) : end;
    if (text > at) onBody(bytes.subarray(at, text));
    return end;
  }

  private takeLine(): boolean {
    const line = this.line.trim();
    this.line = '';
    if (this.inTrailer) return line === '';
    const size = Number.parseInt(line, 16);
    if (size === 0) this.inTrailer = true;
    else this.left = size + 2;
    return false;
  }
}
