/** Remembers what it was told for a while, the latest `size` things of it. */
export class ShortMemory<Value extends object> {
  private readonly entries = new Map<string, { readonly value: Value; readonly until: number }>();
  private readonly size: number;
  private readonly forMs: number;

  constructor({ size, forMs }: { readonly size: number; readonly forMs: number }) {
    this.size = size;
    this.forMs = forMs;
  }

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined || performance.now() < entry.until) return entry?.value;
    this.entries.delete(key);
    return undefined;
  }

  set(key: string, value: Value): void {
    this.entries.delete(key); // what was told last comes last
    this.entries.set(key, { value, until: performance.now() + this.forMs });
    if (this.entries.size <= this.size) return;
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }

  /** Forgets what `isWrong` says. */
  forget(isWrong: (value: Value) => boolean): void {
    for (const [key, { value }] of this.entries) if (isWrong(value)) this.entries.delete(key);
  }
}
