import type { Dispatcher } from 'undici';

/** A body as it comes. */
export interface ByteSource {
  /**
   * What has come since the last time, waiting for something if nothing has; null at the end.
   *
   * @throws what broke the connection.
   */
  read(): Promise<Buffer | null>;
  /** Closes the connection, whatever has not been read. May be called again. */
  close(): void;
  /** Nothing more of it is wanted, but it is about to end: if it does, the connection can be used again. */
  leave(): void;
}

/** A reader this far behind makes the connection wait. In bytes. */
const MAX_WAITING = 256 * 1024;

/** How long a body that was left may take to end. In milliseconds. */
const LEAVING_MS = 1000;

/** What a source is closed with: nobody hears of it. */
const CLOSED = new Error('Closed by its reader.');

/** The body of a response, handed over by the connection without a stream between. */
export class PushedBytes implements ByteSource {
  private readonly connection: Dispatcher.DispatchController;
  private waiting: Buffer[] = [];
  private size = 0;
  private state: { readonly error: Error | null } | null = null;
  private leaving: NodeJS.Timeout | undefined;
  private wanted: PromiseWithResolvers<Buffer | null> | null = null;

  constructor(connection: Dispatcher.DispatchController) {
    this.connection = connection;
  }

  push(bytes: Buffer): void {
    if (this.leaving !== undefined) return;
    if (this.wanted !== null) return this.answer()?.resolve(bytes);
    this.waiting.push(bytes);
    this.size += bytes.length;
    if (this.size > MAX_WAITING) this.connection.pause();
  }

  /** Without an error it has come to its end. */
  end(error: Error | null): void {
    this.state ??= { error };
    clearTimeout(this.leaving);
    const wanted = this.answer();
    if (error === null) wanted?.resolve(null);
    else wanted?.reject(error);
  }

  async read(): Promise<Buffer | null> {
    const [first, ...more] = this.waiting;
    if (first !== undefined) {
      const isPaused = this.size > MAX_WAITING;
      this.waiting = [];
      this.size = 0;
      if (isPaused) this.connection.resume(); // last: it pushes what it has at once
      return more.length === 0 ? first : Buffer.concat([first, ...more]);
    }
    if (this.state === null) {
      this.wanted = Promise.withResolvers();
      return this.wanted.promise;
    }
    if (this.state.error !== null) throw this.state.error;
    return null;
  }

  close(): void {
    if (this.state !== null) return;
    this.end(CLOSED);
    this.connection.abort(CLOSED);
  }

  leave(): void {
    if (this.state !== null || this.leaving !== undefined) return;
    this.leaving = setTimeout(() => this.close(), LEAVING_MS).unref();
    if (this.size > MAX_WAITING) this.connection.resume();
  }

  private answer(): PromiseWithResolvers<Buffer | null> | null {
    const { wanted } = this;
    this.wanted = null;
    return wanted;
  }
}
