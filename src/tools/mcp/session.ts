import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport, SseError } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { z } from 'zod';
import { ToolFailure } from '../tool-failure.ts';
import { createAnswerStreams } from './answer-streams.ts';
import { toBody } from './body.ts';
import { within } from './deadline.ts';
import { findFailure, SessionGone, saysOtherTransport, saysUnknownSession } from './errors.ts';
import type { Fetch } from './fetch.ts';
import { createNotices } from './notices.ts';

export interface SessionOptions {
  readonly url: string;
  /** Adds the headers of the server, and throws a ToolFailure for every status from 400. */
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
}

export interface SessionRequest<Schema extends z.ZodType> {
  readonly request: Parameters<Client['request']>[0];
  /** What the result must look like. */
  readonly schema: Schema;
  /** Asks the server to report progress, which some need to be allowed to take long. */
  readonly progress?: boolean;
}

export interface McpSession {
  /** True once the session cannot be used any more. */
  readonly isOver: boolean;
  /** Whether the server says that it has tools. */
  readonly hasTools: boolean;
  /**
   * Waits without a limit of its own; an abort is told to the server.
   * @throws SessionGone if the server does not know the session any more; else anything: see `toToolFailure`
   */
  request<Schema extends z.ZodType>(
    request: SessionRequest<Schema>,
    signal: AbortSignal,
  ): Promise<z.output<Schema>>;
  /** Tells the server and closes every connection. Never throws, and takes 1.5 seconds at most. */
  close(): Promise<void>;
}

/** What is particular to a transport. */
interface Link {
  readonly client: Client;
  /** Why everything that waits now fails, if it is this; else null. */
  failureOf(error: unknown): ToolFailure | null;
  readonly isLost: boolean;
  readonly hasSession: boolean;
  /** Ends the session on the server. */
  leave(): Promise<void>;
}

const CLIENT = { name: 'responses-graphql', version: '0.1.0' };
const NO_LIMIT = 2 ** 31 - 1; // the caller's signal is the limit
const SSE_LIMIT_MS = 10_000;
const GOODBYE_MS = 1500;

/** Opens a session over Streamable HTTP, or over SSE if the server refuses that. Throws anything: see `toToolFailure`. */
export async function openSession(options: SessionOptions): Promise<McpSession> {
  return toSession(await openLink(options));
}

async function openLink(options: SessionOptions): Promise<Link> {
  try {
    return await openStreamable(options);
  } catch (error) {
    if (!saysOtherTransport(error)) throw error;
    return await openSse(options).catch((other) => {
      // A server that is none of the older ones either says more with its first answer.
      throw saysNoSse(other) && !options.signal.aborted ? error : other;
    });
  }
}

function saysNoSse(error: unknown): boolean {
  return saysOtherTransport(error) || error instanceof SseError || isTimeout(error);
}

function isTimeout(error: unknown): boolean {
  return error instanceof ToolFailure && error.type === 'timeout';
}

async function openStreamable({ url, fetch, signal }: SessionOptions): Promise<Link> {
  const notices = createNotices();
  const streams = createAnswerStreams(fetch, notices);
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch: streams.fetch,
    redirectPolicy: 'follow', // by the fetch, which checks every address and takes no secret to another origin
    // `streams` does that, and knows when to stop.
    reconnectionOptions: {
      maxRetries: 0,
      initialReconnectionDelay: 0,
      maxReconnectionDelay: 0,
      reconnectionDelayGrowFactor: 1,
    },
  });
  transport.onmessage = (message) => {
    if (!('method' in message)) streams.answered(message.id);
  };
  return {
    client: await connect(transport, signal),
    failureOf: streams.failureOf,
    isLost: false, // every request makes its own connection
    get hasSession() {
      return transport.sessionId !== undefined;
    },
    async leave() {
      await notices.flush();
      await transport.terminateSession();
    },
  };
}

/** The older transport: all answers come through one stream, and the session ends with it. */
async function openSse({ url, fetch, signal }: SessionOptions): Promise<Link> {
  let reason: unknown = null; // the SDK keeps no more of it than its words
  let lost: ToolFailure | null = null;
  const notices = createNotices();
  const transport = new SSEClientTransport(new URL(url), {
    redirectPolicy: 'follow',
    fetch: (input, init) => notices.track(fetch(input, init)), // the answers come by the stream
    eventSourceInit: {
      fetch: overheard(fetch, (error) => {
        reason = error;
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
  const limits = { timeoutMs: SSE_LIMIT_MS, signals: [signal], subject: 'Opening the event stream' };
  const client = await within(limits, (limited) => connect(transport, limited)).catch((error) => {
    throw reason ?? error;
  });
  return {
    client,
    failureOf: () => lost,
    get isLost() {
      return lost !== null;
    },
    hasSession: true,
    leave: notices.flush, // closing the stream does the rest
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
    const { body, ok } = response;
    if (!ok || body === null) return response;
    async function* chunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
      try {
        yield* stream;
      } catch (error) {
        heard(error);
      }
    }
    return new Response(
      toBody(chunks(body), () => left.abort()),
      response,
    );
  };
}

async function connect(transport: Transport, signal: AbortSignal): Promise<Client> {
  const client = new Client(CLIENT, { capabilities: {} });
  client.onerror = () => {}; // what matters rejects a request too
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    // The race, because the SSE transport waits for the server's first event whatever its signal says, and because
    // the protocol forbids the notice of cancellation that a signal of this request would send.
    await Promise.race([aborted.promise, client.connect(transport, { timeout: NO_LIMIT })]);
    return client;
  } catch (error) {
    await transport.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function toSession(link: Link): McpSession {
  const { client } = link;
  let isGone = false;
  return {
    get isOver() {
      return isGone || link.isLost;
    },
    hasTools: client.getServerCapabilities()?.tools !== undefined,
    async request({ request, schema, progress = false }, signal) {
      const options = { signal, timeout: NO_LIMIT, ...(progress && { onprogress: () => {} }) };
      try {
        return await client.request(request, schema, options);
      } catch (error) {
        if (saysUnknownSession(error) && link.hasSession) {
          isGone = true;
          throw new SessionGone(error.message, { cause: error });
        }
        throw link.failureOf(error) ?? error;
      }
    },
    async close() {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, GOODBYE_MS);
      await Promise.race([late.promise, link.leave().catch(() => {})]); // a server may refuse to hear goodbye
      clearTimeout(timer);
      await client.close();
    },
  };
}
