import { GraphQLError } from 'graphql';
import type { Context } from '../../graphql/context.ts';
import type { Authenticator } from './authenticator.ts';
import type { Places } from './places.ts';

/** A subscription that counts for its caller, until it ends. */
export interface Seat {
  /** Holds the seat until the stream ends, breaks or is left; breaks the stream when the right of its caller ends. */
  hold<Value>(stream: AsyncGenerator<Value, void>): AsyncGenerator<Value, void>;
  leave(): void;
}

/** Gives out seats. */
export interface Seats {
  /** A seat for a subscription in this context, or why there is none. */
  take(context: Context): Seat | { readonly errors: readonly GraphQLError[] };
}

/** When subscriptions end is anybody's guess. In seconds. */
const RETRY_AFTER_SECONDS = 5;

/** Subscriptions count over all transports together. */
export function createSeats(places: Places, authenticator: Authenticator): Seats {
  return {
    take({ caller, signal, isOverSocket }) {
      const giveBack = places.take(caller.key);
      if (giveBack === null) return { errors: [tooMany(isOverSocket)] };
      const seat = new TakenSeat(signal, giveBack);
      // A socket has one caller, and is closed as a whole.
      if (!isOverSocket) seat.unwatch = authenticator.watch(caller, () => seat.endRight());
      seat.begin();
      return seat;
    },
  };
}

/** One of many that last long: hence no more of them than fields. */
class TakenSeat implements Seat {
  unwatch: (() => void) | null = null;
  private readonly signal: AbortSignal;
  private readonly giveBack: () => void;
  private stream: AsyncGenerator<unknown, void> | null = null;
  private hasEnded = false;
  private isLeft = false;

  constructor(signal: AbortSignal, giveBack: () => void) {
    this.signal = signal;
    this.giveBack = giveBack;
  }

  begin(): void {
    this.signal.addEventListener('abort', this);
    if (this.signal.aborted) this.handleEvent();
  }

  /** The caller has gone. What has not been read yet, the transport does not always end. */
  handleEvent(): void {
    this.isLeft = true;
    this.leave();
    this.endStream();
  }

  /** The right of the caller ends. */
  endRight(): void {
    this.hasEnded = true;
    this.endStream();
  }

  leave(): void {
    this.signal.removeEventListener('abort', this);
    this.unwatch?.();
    this.giveBack();
  }

  hold<Value>(stream: AsyncGenerator<Value, void>): AsyncGenerator<Value, void> {
    this.stream = stream;
    if (this.hasEnded || this.isLeft) this.endStream();
    return new HeldStream(stream, this);
  }

  /** @throws GraphQLError UNAUTHENTICATED if that is why the stream has ended. */
  check(): void {
    if (this.hasEnded) throw unauthenticated();
  }

  private endStream(): void {
    this.stream?.return().catch(() => {}); // whoever reads the stream meets the error
  }
}

/** A stream that leaves its seat at its end. */
class HeldStream<Value> implements AsyncGenerator<Value, void> {
  private readonly stream: AsyncGenerator<Value, void>;
  private readonly seat: TakenSeat;

  constructor(stream: AsyncGenerator<Value, void>, seat: TakenSeat) {
    this.stream = stream;
    this.seat = seat;
  }

  next(): Promise<IteratorResult<Value, void>> {
    return this.stream.next().then(
      (result) => {
        if (result.done) this.end();
        return result;
      },
      (error: unknown) => {
        this.seat.leave();
        throw error;
      },
    );
  }

  return(): Promise<IteratorResult<Value, void>> {
    this.seat.leave();
    return this.stream.return();
  }

  throw(error: unknown): Promise<IteratorResult<Value, void>> {
    this.seat.leave();
    return this.stream.throw(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  private end(): void {
    this.seat.leave();
    this.seat.check();
  }
}

function tooMany(isOverSocket: boolean): GraphQLError {
  const http = { status: 429, headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } };
  return new GraphQLError('This caller has as many subscriptions as it may. End some, or try again later.', {
    extensions: {
      code: 'LIMIT_EXCEEDED',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      ...(!isOverSocket && { http }),
    },
  });
}

function unauthenticated(): GraphQLError {
  const message = 'The right of this caller has ended.';
  return new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED' } });
}
