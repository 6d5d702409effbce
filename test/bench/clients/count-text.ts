/**
 * Counts the characters of one JSON field in bytes as they come, without parsing them. The field's text holds
 * nothing that JSON escapes; a piece may end anywhere in it.
 */
export class TextCounter {
  private readonly needle: string;
  private rest = '';
  private inside = false;

  constructor(field: string) {
    this.needle = `"${field}":"`;
  }

  /** How many characters of the field each of its appearances in these bytes has. */
  push(bytes: Buffer, onText: (characters: number) => void): void {
    const text = this.rest === '' ? bytes.toString('latin1') : this.rest + bytes.toString('latin1');
    this.rest = '';
    let at = 0;
    for (;;) {
      if (!this.inside) {
        const found = text.indexOf(this.needle, at);
        if (found < 0) {
          this.rest = text.slice(Math.max(at, text.length - this.needle.length + 1));
          return;
        }
        at = found + this.needle.length;
        this.inside = true;
      }
      const end = text.indexOf('"', at);
      const characters = (end < 0 ? text.length : end) - at;
      if (characters > 0) onText(characters);
      if (end < 0) return;
      at = end + 1;
      this.inside = false;
    }
  }
}
