import type { Dispatcher } from 'undici';

/** A body as it comes. */
export interface ByteSource {
  /**
   * Calls `take` with everything: what came in one read of the connection is one piece, and is handed over at the end of
   * that read. While what `take` gives is pending, nothing more is taken. Once only.
   *
   * @returns when the body has ended, or was left.
   * @throws what broke the connection, and what `take` throws, which closes it.
   */
  read(take: (bytes: Buffer) => Promise<void> | null): Promise<void>;
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

interface Reader extends PromiseWithResolvers<void> {
  readonly take: (bytes: Buffer) => Promise<void> | null;
}

/** The body of a response, handed over by the connection without a stream between. */
export class PushedBytes implements ByteSource {
  private readonly connection: Dispatcher.DispatchController;
  private waiting: Buffer[] = [];
  private size = 0;
  private end: { readonly error: unknown } | null = null;
  private leaving: NodeJS.Timeout | undefined;
  private reader: Reader | null = null;
  private isHeldUp = false;

  constructor(connection: Dispatcher.DispatchController) {
    this.connection = connection;
  }

  /** The connection gives each chunk of a body by itself, all of a read before anything else happens. */
  push(bytes: Buffer): void {
    if (this.leaving !== undefined || this.end !== null) return;
    if (this.reader !== null && !this.isHeldUp && this.waiting.length === 0)
      queueMicrotask(() => this.goOn());
    this.waiting.push(bytes);
    this.size += bytes.length;
    if (this.size > MAX_WAITING) this.connection.pause();
  }

  /** Without an error it has come to its end. What waits is read all the same. */
  finish(error: unknown = null): void {
    this.end ??= { error };
    clearTimeout(this.leaving);
    this.goOn();
  }

  read(take: Reader['take']): Promise<void> {
    this.reader = { ...Promise.withResolvers<void>(), take };
    const { promise } = this.reader;
    this.goOn();
    return promise;
  }

  close(): void {
    if (this.end !== null) return;
    this.drop();
    this.finish(CLOSED);
    this.connection.abort(CLOSED);
  }

  leave(): void {
    if (this.end !== null || this.leaving !== undefined) return;
    this.leaving = setTimeout(() => this.close(), LEAVING_MS).unref();
    this.reader?.resolve();
    this.drop();
  }

  private hand(bytes: Buffer, { take, reject }: Reader): void {
    try {
      const room = take(bytes);
      if (room === null) return;
      this.isHeldUp = true;
      void room.then(() => {
        this.isHeldUp = false;
        this.goOn();
      });
    } catch (error) {
      reject(error);
      this.close();
    }
  }

  /** Hands over what waits, then what became of the rest. */
  private goOn(): void {
    const { reader } = this;
    while (reader !== null && !this.isHeldUp && this.waiting.length > 0) {
      const [only] = this.waiting;
      const bytes = only !== undefined && this.waiting.length === 1 ? only : Buffer.concat(this.waiting);
      const isPaused = this.size > MAX_WAITING;
      this.waiting = [];
      this.size = 0;
      this.hand(bytes, reader);
      if (isPaused) this.connection.resume(); // last: it pushes what it has at once
    }
    if (this.end === null || this.isHeldUp) return;
    if (this.end.error === null) reader?.resolve();
    else reader?.reject(this.end.error);
  }

  private drop(): void {
    const isPaused = this.size > MAX_WAITING;
    this.waiting = [];
    this.size = 0;
    if (isPaused) this.connection.resume();
  }
}
