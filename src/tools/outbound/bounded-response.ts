import type { ReadableStreamDefaultReader } from 'node:stream/web';
import type { Response as Answer } from 'undici';
import { ToolFailure } from '../tool-failure.ts';
import { placeOf, toNetworkFailure } from './network-failure.ts';

/** What the platform's Response takes. */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What a response is made with, beside the answer itself. */
interface Bounds {
  readonly url: URL;
  readonly redirected: boolean;
  /** Of the body, after decompression. */
  readonly maxBytes: number;
  readonly signal: AbortSignal | null | undefined;
}

/**
 * undici's answer as the platform's Response, whose body fails instead of growing without end. A failing body
 * fails with a ToolFailure, or with the reason of the signal that ended it.
 *
 * @throws ToolFailure `protocol` if the answer says that it is too large, or has a status that HTTP has not
 */
export function toResponse(answer: Answer, bounds: Bounds): Response {
  const { status, statusText, headers } = answer;
  if (status > 599) {
    discard(answer);
    throw new ToolFailure(
      'protocol',
      `${placeOf(bounds.url)} answered with ${status}, which is no HTTP status.`,
    );
  }
  if (answer.body !== null && Number(headers.get('content-length')) > bounds.maxBytes) {
    discard(answer);
    throw tooLarge(bounds);
  }
  const body = answer.body === null ? null : boundedBody(answer, bounds);
  // The constructor does not take these, or (the text) is more particular than servers are.
  return Object.defineProperties(new Response(body, { status, headers: [...headers] }), {
    url: { value: answer.url },
    redirected: { value: bounds.redirected },
    // Or nobody could make another response like this one.
    statusText: { value: REASON_PHRASE.test(statusText) ? statusText : '' },
  });
}

/** Ends the connection of an answer that nobody wants to read, however long it is. */
export function discard({ body }: Answer): void {
  body?.cancel().catch(() => {}); // what has failed already is as good as discarded
}

/**
 * Reads on demand only, so an event stream arrives as it comes and a large body waits in the socket. The answer
 * is locked at the first read and kept until then: undici ends the connection of one that is neither read nor held.
 */
function boundedBody(answer: Answer, bounds: Bounds): ReadableStream<Uint8Array> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let size = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        reader ??= answer.body?.getReader();
        const chunk = await reader?.read().catch((error: unknown) => {
          throw bounds.signal?.aborted === true ? bounds.signal.reason : toNetworkFailure(error, bounds.url);
        });
        if (chunk?.value === undefined) return controller.close();
        size += chunk.value.byteLength;
        if (size > bounds.maxBytes) {
          reader?.cancel().catch(() => {});
          throw tooLarge(bounds);
        }
        controller.enqueue(chunk.value);
      },
      cancel: (reason) => (reader ?? answer.body)?.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function tooLarge({ url, maxBytes }: Bounds): ToolFailure {
  return new ToolFailure('protocol', `The answer of ${placeOf(url)} has more than ${maxBytes} bytes.`);
}
