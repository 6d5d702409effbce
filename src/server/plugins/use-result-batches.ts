import type { ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { WireText } from '../../graphql/live/shared-selection.ts';
import {
  type MaskError,
  type ResultBatches,
  subscribeInBatches,
} from '../../graphql/live/subscribe-in-batches.ts';
import { abortable } from '../../util/async-iteration.ts';
import { toEventStream } from '../event-stream.ts';

/** By the request of a subscription, or, without one, its context. */
const batchesBy = new WeakMap<object, ResultBatches>();

/** The batches of a subscription that has just been made, for a transport that writes them itself. */
export function batchesOf(context: unknown): ResultBatches | null {
  return context instanceof Object ? (batchesBy.get(context) ?? null) : null;
}

/**
 * Subscriptions give whole batches of results, which travel as they are: what other plugins see of them is an
 * ordinary stream of results, made from the same batches if anybody reads it.
 */
export function useResultBatches(mask: MaskError): Plugin {
  return {
    onSubscribe({ subscribeFn, setSubscribeFn }) {
      setSubscribeFn(async (args: Parameters<typeof subscribeInBatches>[0]) => {
        const result = await subscribeInBatches(args, mask);
        if (result === null) return subscribeFn(args);
        if (!('kind' in result)) return result;
        batchesBy.set(keyOf(args.contextValue), result);
        return toResults(result);
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

function keyOf(context: unknown): object {
  if (typeof context !== 'object' || context === null) throw new Error('A subscription needs a context.');
  return 'request' in context && context.request instanceof Object ? context.request : context;
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
