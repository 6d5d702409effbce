/** What is asked of a signal here. Every AbortSignal is one. */
export interface StopSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
  throwIfAborted(): void;
}

/**
 * An async iterator over what `generate` yields, whose `return()` takes effect at once. A plain generator that
 * waits for something runs its `finally` only after that has come, which for a quiet stream may be never; here
 * `return()` first aborts the signal that the generator must race its waits against.
 */
export function abortable<Value>(
  generate: (signal: StopSignal) => AsyncGenerator<Value, void>,
): AsyncGenerator<Value, void> {
  return new Abortable(generate);
}

/** Every stream has several, for as long as it lasts: hence fields, and a signal without the machinery of events. */
class Abortable<Value> implements AsyncGenerator<Value, void> {
  private readonly left = new Leaving();
  private readonly inner: AsyncGenerator<Value, void>;

  constructor(generate: (signal: StopSignal) => AsyncGenerator<Value, void>) {
    this.inner = generate(this.left);
  }

  next(): Promise<IteratorResult<Value, void>> {
    return this.inner.next();
  }

  async return(): Promise<IteratorResult<Value, void>> {
    this.left.abort();
    await this.inner.return();
    return { done: true, value: undefined };
  }

  throw(error: unknown): Promise<IteratorResult<Value, void>> {
    this.left.abort();
    return this.inner.throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

/** Aborted once the consumer has left. Its listeners must not throw. */
class Leaving implements StopSignal {
  aborted = false;
  private listeners: readonly (() => void)[] = [];

  abort(): void {
    this.aborted = true;
    const { listeners } = this;
    this.listeners = [];
    for (const listener of listeners) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    const { listeners } = this;
    this.listeners = listeners.length === 0 ? [listener] : [...listeners, listener]; // a literal takes no room for more
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners = this.listeners.filter((each) => each !== listener);
  }

  throwIfAborted(): void {
    if (this.aborted) throw LEFT;
  }
}

/** One for all: making an error with a stack each time costs more than all else about leaving. */
const LEFT = new Error('The consumer has left.');

/** Waits for a promise no longer than until the signal aborts. Which of the two it was, the signal says. */
export async function orAborted(waiting: Promise<unknown>, signal: StopSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = () => resolve();
  signal.addEventListener('abort', stop);
  try {
    await Promise.race([waiting, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Waits for so many milliseconds. Throws the reason of the signal when that is aborted before. */
export async function pause(milliseconds: number, signal: StopSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await orAborted(promise, signal);
  clearTimeout(timer);
  signal.throwIfAborted();
}

/** Somebody to wake, again and again. A call of `wake` before the wait counts for it. */
export class Bell {
  private waiting: PromiseWithResolvers<void> | null = null;
  private rung = false;

  wake(): void {
    if (this.waiting === null) this.rung = true;
    else this.waiting.resolve();
    this.waiting = null;
  }

  /** Resolves at the next `wake`, at once if there was one since the last wait. */
  wait(): Promise<void> {
    if (this.rung) {
      this.rung = false;
      return Promise.resolve();
    }
    this.waiting ??= Promise.withResolvers();
    return this.waiting.promise;
  }
}
