import { GraphQLError } from 'graphql';
import { toWireText, type WireText } from '../graphql/live/shared-selection.ts';
import type { ResultBatches } from '../graphql/live/subscribe-in-batches.ts';
import { piecesOf } from './pieces.ts';

/** Between two comments that keep a quiet connection open, in milliseconds: proxies cut at 30 seconds or more. */
const PING_MS = 12_000;

const PING = Buffer.from(':\n\n');

/**
 * A subscription as server-sent events, in the protocol of graphql-sse ("distinct connections mode",
 * https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md): one chunk for each batch of results. The next
 * batch is asked for when the client has room.
 */
export function toEventStream({ texts }: ResultBatches, Response: typeof globalThis.Response): Response {
  const pieces = piecesOfAll(texts);
  let ping: NodeJS.Timeout | undefined;
  const stop = () => clearInterval(ping);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(PING); // the head leaves with it
      ping = setInterval(() => {
        if (controller.desiredSize === null) return stop();
        if (controller.desiredSize > 0) controller.enqueue(PING);
      }, PING_MS).unref();
    },
    async pull(controller) {
      const { value: piece, done } = await pieces.next();
      if (!done) return controller.enqueue(Buffer.from(piece, 'latin1'));
      stop();
      controller.close();
    },
    async cancel() {
      stop();
      await texts.return();
    },
  });
  const headers = {
    'content-type': 'text/event-stream',
    connection: 'keep-alive',
    'cache-control': 'no-cache',
    'content-encoding': 'none',
  };
  return new Response(body, { headers });
}

const COMPLETE = 'event: complete\ndata:\n\n';

/** The whole stream in pieces. One that breaks says why, in its last result. */
async function* piecesOfAll(texts: ResultBatches['texts']): AsyncGenerator<WireText, void> {
  try {
    for await (const batch of texts) yield* piecesOf(batch, toRecord);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    yield toRecord(toWireText(JSON.stringify({ errors: [error] })));
  }
  yield COMPLETE;
}

function toRecord(text: WireText): WireText {
  return `event: next\ndata: ${text}\n\n`;
}
