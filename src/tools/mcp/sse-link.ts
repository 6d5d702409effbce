import { SSEClientTransport, SseError } from '@modelcontextprotocol/sdk/client/sse.js';
import { ToolFailure } from '../tool-failure.ts';
import { toBody } from './body.ts';
import { within } from './deadline.ts';
import { findFailure } from './errors.ts';
import { createEventCursor } from './event-cursor.ts';
import type { Fetch } from './fetch.ts';
import { guardTransport } from './guarded-transport.ts';
import { connect, type Link, type LinkOptions } from './link.ts';
import { requestIdIn } from './messages.ts';
import { createRequests } from './requests.ts';

const SSE_LIMIT_MS = 10_000;

/** The older transport: all answers come through one stream, and the session ends with it. */
export async function openSse({ url, fetch, signal }: LinkOptions): Promise<Link> {
  let reason: unknown = null; // the SDK keeps no more of it than its words
  let lost: ToolFailure | null = null;
  const requests = createRequests();
  const transport = new SSEClientTransport(new URL(url), {
    redirectPolicy: 'follow',
    fetch(input, init = {}) {
      const id = requestIdIn(init.body);
      if (id === null) return fetch(input, init);
      // Its answer comes by the stream, and some servers leave this connection open until then, or for ever.
      const answered = requests.signalOf(id);
      return fetch(input, {
        ...init,
        signal: AbortSignal.any([answered, ...(init.signal ? [init.signal] : [])]),
      });
    },
    eventSourceInit: {
      fetch: overheard(fetch, (error) => {
        reason ??= error;
      }),
    },
  });
  transport.onerror = (error) => {
    if (!(error instanceof SseError)) return;
    lost = findFailure(reason) ?? new ToolFailure('http', 'The connection to the server was lost.');
    // Or it would connect again, to a session that knows nothing of this one. Not at once: the timer for that is only
    // set after this event.
    queueMicrotask(() => void transport.close());
  };
  const guarded = guardTransport(transport, { requests });
  const limits = { timeoutMs: SSE_LIMIT_MS, signals: [signal], subject: 'Opening the event stream' };
  const client = await within(limits, (limited) => connect(guarded, limited)).catch((error) => {
    // If the SDK itself gives up, the stream only breaks off because of that.
    throw lost === null ? error : (reason ?? error);
  });
  return {
    client,
    failureOf: () => lost,
    get isLost() {
      return lost !== null;
    },
    hasSession: true,
    close: guarded.close,
  };
}

type Heard = (error: unknown) => void;

/** The same fetch; `onError` hears why an answer did not come, or why its body broke off. */
function overheard(fetch: Fetch, onError: Heard): Fetch {
  return async (input, init = {}) => {
    const left = new AbortController();
    const signal = AbortSignal.any([left.signal, ...(init.signal ? [init.signal] : [])]);
    const heard = (error: unknown): never => {
      onError(error);
      throw error;
    };
    const response = await fetch(input, { ...init, signal }).catch(heard);
    const { body, ok, status, headers } = response;
    if (!ok || body === null) return response;
    async function* chunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
      const cursor = createEventCursor();
      try {
        for await (const chunk of stream) {
          cursor.read(chunk);
          yield chunk;
        }
      } catch (error) {
        heard(error);
      }
    }
    // Not the text of the status: HTTP allows more characters in it than this constructor does.
    return new Response(
      toBody(chunks(body), () => left.abort()),
      { status, headers },
    );
  };
}
