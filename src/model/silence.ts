import { ModelError } from './model-client.ts';

/**
 * Watches for a model that says nothing for too long. One timer serves a whole call: it is not set anew with each
 * chunk, but looks, when it goes off, how long the silence has been.
 */
export class Silence {
  private readonly onTooLong: (reason: ModelError) => void;
  private timer: NodeJS.Timeout | undefined;
  /** Since when it is waited; null while it is not. */
  private since: number | null = null;
  private limitMs: number;
  private goesOffAt = Number.POSITIVE_INFINITY;

  /** Begins to wait. */
  constructor(limitMs: number, onTooLong: (reason: ModelError) => void) {
    this.limitMs = limitMs;
    this.onTooLong = onTooLong;
    this.begin(limitMs);
  }

  /** From now on the model may take so many milliseconds. */
  begin(limitMs: number): void {
    this.since = performance.now();
    this.limitMs = limitMs;
    if (this.since + limitMs < this.goesOffAt) this.set(limitMs);
  }

  /** It has said something, or is no longer listened to. */
  end(): void {
    this.since = null;
  }

  /** Waits never again. */
  stop(): void {
    this.end();
    clearTimeout(this.timer);
  }

  private set(milliseconds: number): void {
    clearTimeout(this.timer);
    this.goesOffAt = performance.now() + milliseconds;
    this.timer = setTimeout(() => this.look(), milliseconds);
  }

  private look(): void {
    this.goesOffAt = Number.POSITIVE_INFINITY;
    if (this.since === null) return; // the next `begin` sets it
    const left = this.since + this.limitMs - performance.now();
    if (left > 0) this.set(Math.ceil(left));
    else {
      const message = `The model sent nothing for ${this.limitMs / 1000} seconds.`;
      this.onTooLong(new ModelError('server_error', message));
    }
  }
}
