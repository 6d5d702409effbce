import { randomUUID } from 'node:crypto';
import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { pause } from '../../util/async-iteration.ts';
import { ToolFailure } from '../tool-failure.ts';
import { toBody } from './body.ts';
import { findFailure } from './errors.ts';
import { createEventCursor } from './event-cursor.ts';
import type { Fetch } from './fetch.ts';
import { bracketsIn, checkSize, requestIdIn } from './messages.ts';
import type { Requests } from './requests.ts';

/** The fetch of one session over Streamable HTTP, and what it knows of the requests in flight. */
export interface AnswerStreams {
  readonly fetch: Fetch;
  /**
   * To be told that the transport has sent a request, and read its answer unless that is a stream.
   * @throws ToolFailure `protocol` if it has read some other answer
   */
  sent(id: number): void;
  /** The failure behind an error answer that `fetch` wrote itself; null for any other error. */
  failureOf(error: unknown): ToolFailure | null;
}

/** A stream that is to bring the answer to a request. */
interface Awaited {
  readonly id: number;
  readonly first: Response;
  readonly resume: (lastEventId: string) => Promise<Response>;
  readonly signal: AbortSignal;
}

// A server may end its stream again and again to be polled; nobody waits for more than this.
const MAX_RESUMPTIONS = 100;
const MAX_FAILURES = 2;
const RESUME_DELAY_MS = 250;
const MIN_RESUME_DELAY_MS = 100;

/**
 * The SDK's transport never learns that an answer will not come: a stream that ends without one is noticed by the
 * time limit only, and a broken one it cannot tie to its request. Here a stream whose rest the server keeps (its
 * events have ids) is asked for again and goes on as the same stream; whatever ends without an answer gets one, an
 * error, as its last event. That goes through the stream, and not past it, so that it cannot overtake the answer;
 * after the answer it answers nothing and is ignored.
 */
export function createAnswerStreams(fetch: Fetch, requests: Requests): AnswerStreams {
  const streamed = new Set<number>();
  const failures = new Map<string, ToolFailure>();

  async function* read(stream: Awaited): AsyncGenerator<Uint8Array, void> {
    const { id, first, signal } = stream;
    const cursor = createEventCursor();
    let response: Response | null = first;
    let failure = noAnswer();
    try {
      for (let resumptions = 0; response !== null && resumptions <= MAX_RESUMPTIONS; resumptions++) {
        try {
          for await (const chunk of response.body ?? []) {
            cursor.read(chunk);
            yield chunk;
          }
        } catch (error) {
          failure = toFailure(error);
          if (failure.type !== 'http') break; // what has been refused once is not asked for again
        }
        cursor.breakOff();
        yield END_OF_EVENT; // the next stream does not begin within one
        response = signal.aborted || !requests.has(id) ? null : await resume(stream, cursor);
      }
    } catch (error) {
      failure = toFailure(error);
    }
    yield END_OF_EVENT;
    yield errorAnswer(id, failure);
  }

  /** The rest of a stream; null if there is none to be had, or nobody waits for it. */
  async function resume(
    { id, resume: ask, signal }: Awaited,
    { lastEventId, retryMs }: { readonly lastEventId: string | null; readonly retryMs: number | null },
  ): Promise<Response | null> {
    for (let failed = 1; lastEventId !== null; failed++) {
      await pause(Math.max(retryMs ?? RESUME_DELAY_MS, MIN_RESUME_DELAY_MS), signal);
      if (!requests.has(id)) return null;
      try {
        const response = await ask(lastEventId);
        if (isEventStream(response)) return response;
        await response.body?.cancel();
        return null;
      } catch (error) {
        const { type, code } = toFailure(error);
        if (type !== 'http' || code !== null || failed === MAX_FAILURES) throw error;
      }
    }
    return null;
  }

  function errorAnswer(id: number, failure: ToolFailure): Uint8Array {
    const data = randomUUID(); // so that no server can write such an answer
    if (requests.has(id)) failures.set(data, failure);
    const error = { code: -32_000, message: failure.message, data };
    return new TextEncoder().encode(`data: ${JSON.stringify({ jsonrpc: '2.0', id, error })}\n\n`);
  }

  async function request(id: number, input: string | URL, init: RequestInit): Promise<Response> {
    const left = new AbortController();
    const signal = AbortSignal.any([
      left.signal,
      requests.signalOf(id),
      ...(init.signal ? [init.signal] : []),
    ]);
    const leave = () => left.abort();
    const first = await fetch(input, { ...init, signal });
    const { body, status, headers } = first;
    if (status === 202) {
      await body?.cancel();
      throw noAnswer();
    }
    if (!first.ok || body === null) return first;
    if (!isEventStream(first)) return new Response(toBody(bounded(body), leave), { status, headers });
    streamed.add(id);
    const chunks = read({
      id,
      first,
      signal,
      resume: (lastEventId) => {
        const rest = new Headers(init.headers);
        rest.delete('content-type');
        rest.set('accept', EVENT_STREAM);
        rest.set('last-event-id', lastEventId);
        return fetch(input, { method: 'GET', headers: rest, signal });
      },
    });
    return new Response(toBody(chunks, leave), { headers });
  }

  return {
    async fetch(input, init = {}) {
      // The stream for what a server says unasked, which nobody here reads. This says that it is not offered.
      if (init.method === 'GET') return new Response(null, { status: 405 });
      const id = requestIdIn(init.body);
      return id === null ? fetch(input, init) : request(id, input, init);
    },
    sent(id) {
      if (!streamed.delete(id) && requests.has(id)) throw noAnswer();
    },
    failureOf: (error) => (error instanceof McpError ? (failures.get(String(error.data)) ?? null) : null),
  };
}

async function* bounded(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let [length, brackets] = [0, 0];
  for await (const chunk of body) {
    length += chunk.byteLength;
    brackets += bracketsIn(chunk);
    checkSize({ length, brackets });
    yield chunk;
  }
}

function noAnswer(): ToolFailure {
  return new ToolFailure('protocol', 'The server ended its answer before it had given a result.');
}

const EVENT_STREAM = 'text/event-stream';
const END_OF_EVENT = new TextEncoder().encode('\n\n');

function toFailure(error: unknown): ToolFailure {
  return (
    findFailure(error) ?? new ToolFailure('http', 'The connection to the server was lost.', { cause: error })
  );
}

function isEventStream({ headers, ok }: Response): boolean {
  return ok && /^\s*text\/event-stream\s*(;|$)/i.test(headers.get('content-type') ?? '');
}
