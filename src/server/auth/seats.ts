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
      // A socket has one caller, and is closed as a whole.
      let end = () => {};
      let hasEnded = false;
      const unwatch = isOverSocket
        ? () => {}
        : authenticator.watch(caller, () => {
            hasEnded = true;
            end();
          });
      let isLeft = false;
      const leave = () => {
        signal.removeEventListener('abort', stop);
        unwatch();
        giveBack();
      };
      // What has not been read yet, the transport does not always end.
      const stop = () => {
        isLeft = true;
        leave();
        end();
      };
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
      const check = () => {
        if (hasEnded) throw unauthenticated();
      };
      return {
        leave,
        hold(stream) {
          end = () => void stream.return().catch(() => {}); // whoever reads the stream meets the error
          if (hasEnded || isLeft) end();
          return held(stream, { leave, check });
        },
      };
    },
  };
}

/** A stream that calls `leave` at its end, which `check` may make a broken one. */
function held<Value>(
  stream: AsyncGenerator<Value, void>,
  { leave, check }: { readonly leave: () => void; readonly check: () => void },
): AsyncGenerator<Value, void> {
  const iterator: AsyncGenerator<Value, void> = {
    async next() {
      try {
        const result = await stream.next();
        if (!result.done) return result;
        check();
        leave();
        return result;
      } catch (error) {
        leave();
        throw error;
      }
    },
    return() {
      leave();
      return stream.return();
    },
    throw(error) {
      leave();
      return stream.throw(error);
    },
    [Symbol.asyncIterator]: () => iterator,
    async [Symbol.asyncDispose]() {
      await iterator.return();
    },
  };
  return iterator;
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
