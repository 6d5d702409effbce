/**
 * An async iterator over what `generate` yields, whose `return()` takes effect at once. A plain generator that
 * waits for something runs its `finally` only after that has come, which for a quiet stream may be never; here
 * `return()` first aborts the signal that the generator must race its waits against.
 */
export function abortable<Value>(
  generate: (signal: AbortSignal) => AsyncGenerator<Value, void>,
): AsyncGenerator<Value, void> {
  const controller = new AbortController();
  const inner = generate(controller.signal);
  const iterator: AsyncGenerator<Value, void> = {
    next: () => inner.next(),
    return: async () => {
      controller.abort(LEFT);
      await inner.return();
      return { done: true, value: undefined };
    },
    throw: (error) => {
      controller.abort(LEFT);
      return inner.throw(error);
    },
    [Symbol.asyncIterator]: () => iterator,
    [Symbol.asyncDispose]: async () => {
      await iterator.return();
    },
  };
  return iterator;
}

/** Without a reason of its own, an abort makes an error with a stack each time. */
const LEFT = 'The consumer has left.';

/** Waits for a promise no longer than until the signal aborts. Which of the two it was, the signal says. */
export async function orAborted(waiting: Promise<unknown>, signal: AbortSignal): Promise<void> {
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
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
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
    this.rung = true;
    this.waiting?.resolve();
  }

  /** Resolves at the next `wake`, at once if there was one since the last wait. */
  async wait(): Promise<void> {
    if (!this.rung) {
      this.waiting = Promise.withResolvers();
      await this.waiting.promise;
    }
    this.waiting = null;
    this.rung = false;
  }
}
