import type { ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from '../../graphql/context.ts';
import type { WireText } from '../../graphql/live/shared-selection.ts';
import {
  type MaskError,
  type ResultBatches,
  subscribeInBatches,
} from '../../graphql/live/subscribe-in-batches.ts';
import { abortable } from '../../util/async-iteration.ts';
import type { Seat, Seats } from '../auth/seats.ts';
import { toEventStream } from '../event-stream.ts';

/** By the request of a subscription, or, without one, its context. */
const batchesBy = new WeakMap<object, ResultBatches>();

/** The batches of a subscription that has just been made, for a transport that writes them itself. */
export function batchesOf(context: unknown): ResultBatches | null {
  return context instanceof Object ? (batchesBy.get(context) ?? null) : null;
}

/**
 * Subscriptions give whole batches of results, which travel as they are: what other plugins see of them is an
 * ordinary stream of results, made from the same batches if anybody reads it. Each has a seat while it lasts.
 */
export function useResultBatches(mask: MaskError, seats: Seats): Plugin<Context> {
  return {
    onSubscribe({ args: { contextValue }, subscribeFn, setSubscribeFn }) {
      const subscribe = async (args: Parameters<typeof subscribeInBatches>[0], seat: Seat) => {
        const result = (await subscribeInBatches(args, mask)) ?? (await subscribeFn(args));
        if (isStream(result)) return seat.hold(result);
        if (!('kind' in result)) {
          seat.leave();
          return result;
        }
        const held = { ...result, texts: seat.hold(result.texts) };
        batchesBy.set(keyOf(contextValue), held);
        return toResults(held);
      };
      setSubscribeFn(async (args: Parameters<typeof subscribeInBatches>[0]) => {
        const seat = seats.take(contextValue);
        if ('errors' in seat) return seat;
        return subscribe(args, seat).catch((error: unknown) => {
          seat.leave();
          throw error;
        });
      });
    },
    onResultProcess({ request, resultProcessor, setResultProcessor }) {
      const batches = batchesOf(request);
      // Of streams yoga itself sends nothing but event streams: others have no processor here.
      if (batches === null || resultProcessor === undefined) return;
      setResultProcessor((_result, { Response }) => toEventStream(batches, Response), 'text/event-stream');
    },
  };
}

function keyOf(context: object): object {
  return 'request' in context && context.request instanceof Object ? context.request : context;
}

function isStream(result: object): result is AsyncGenerator<ExecutionResult, void> {
  return Symbol.asyncIterator in result;
}

function toResults({ texts }: ResultBatches): AsyncGenerator<ExecutionResult, void> {
  return abortable<ExecutionResult>(async function* (signal) {
    signal.addEventListener('abort', () => void texts.return().catch(() => {})); // the loop meets the error
    for await (const batch of texts) for (const text of batch) yield parse(text);
  });
}

function parse(text: WireText): ExecutionResult {
  return JSON.parse(Buffer.from(text, 'latin1').toString()); // written by subscribeInBatches
}
