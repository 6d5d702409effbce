import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { ToolFailure } from '../tool-failure.ts';
import { toBody } from './body.ts';
import { findFailure } from './errors.ts';
import { createEventCursor } from './event-cursor.ts';
import type { Fetch } from './fetch.ts';
import type { Notices } from './notices.ts';

type RequestId = string | number;

/** The fetch of one session over Streamable HTTP, and what it knows of the requests in flight. */
export interface AnswerStreams {
  readonly fetch: Fetch;
  /** To be told of every answer. */
  answered(id: RequestId | undefined): void;
  /** The failure behind an error answer that `fetch` wrote itself; null for any other error. */
  failureOf(error: unknown): ToolFailure | null;
}

/** A stream that is to bring the answer to a request. */
interface Awaited {
  readonly id: RequestId;
  readonly first: Response;
  readonly resume: (lastEventId: string) => Promise<Response>;
  readonly signal: AbortSignal;
}

// A server may end its stream again and again to be polled; nobody waits for more than this.
const MAX_RESUMPTIONS = 100;
const MAX_FAILURES = 2;
const RESUME_DELAY_MS = 250;

/**
 * The SDK's transport never learns that an answer will not come: a stream that ends without one is noticed by the
 * time limit only, and a broken one it cannot tie to its request. Here a stream whose rest the server keeps (its
 * events have ids) is asked for again and goes on as the same stream; whatever ends without an answer gets one, an
 * error, as its last event. That goes through the stream, and not past it, so that it cannot overtake the answer;
 * after the answer it answers nothing and is ignored.
 */
export function createAnswerStreams(fetch: Fetch, notices: Notices): AnswerStreams {
  const pending = new Set<RequestId>();
  const failures = new Map<string, ToolFailure>();

  async function* read(stream: Awaited): AsyncGenerator<Uint8Array, void> {
    const { id, first, signal } = stream;
    const cursor = createEventCursor();
    let response: Response | null = first;
    let failure = new ToolFailure('protocol', NO_ANSWER);
    try {
      for (let resumptions = 0; response !== null && resumptions <= MAX_RESUMPTIONS; resumptions++) {
        try {
          for await (const chunk of response.body ?? []) {
            cursor.read(chunk);
            yield chunk;
          }
        } catch (error) {
          failure = toFailure(error);
        }
        cursor.breakOff();
        yield END_OF_EVENT; // the next stream does not begin within one
        response = signal.aborted ? null : await resume(stream, cursor);
      }
    } catch (error) {
      failure = toFailure(error);
    }
    yield errorAnswer(id, failure);
  }

  /** The rest of a stream; null if there is none to be had, or nobody waits for it. */
  async function resume(
    { id, resume: ask, signal }: Awaited,
    { lastEventId, retryMs }: { readonly lastEventId: string | null; readonly retryMs: number | null },
  ): Promise<Response | null> {
    for (let failed = 1; lastEventId !== null; failed++) {
      await sleep(retryMs ?? RESUME_DELAY_MS, null, { signal });
      if (!pending.has(id)) return null;
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

  function errorAnswer(id: RequestId, failure: ToolFailure): Uint8Array {
    const data = randomUUID(); // so that no server can write such an answer
    if (pending.has(id)) failures.set(data, failure);
    const error = { code: -32_000, message: failure.message, data };
    return new TextEncoder().encode(`data: ${JSON.stringify({ jsonrpc: '2.0', id, error })}\n\n`);
  }

  async function request(id: RequestId, input: string | URL, init: RequestInit): Promise<Response> {
    pending.add(id);
    const left = new AbortController();
    const signal = AbortSignal.any([left.signal, ...(init.signal ? [init.signal] : [])]);
    try {
      const first = await fetch(input, { ...init, signal });
      if (first.status === 202) {
        await first.body?.cancel();
        throw new ToolFailure('protocol', NO_ANSWER);
      }
      if (!isEventStream(first)) return first;
      const chunks = read({
        id,
        first,
        signal,
        resume: (lastEventId) => {
          const headers = new Headers(init.headers);
          headers.delete('content-type');
          headers.set('accept', EVENT_STREAM);
          headers.set('last-event-id', lastEventId);
          return fetch(input, { method: 'GET', headers, signal });
        },
      });
      return new Response(
        toBody(chunks, () => left.abort()),
        { headers: first.headers },
      );
    } catch (error) {
      pending.delete(id);
      throw error;
    }
  }

  return {
    async fetch(input, init = {}) {
      // The stream for what a server says unasked, which nobody here reads. This says that it is not offered.
      if (init.method === 'GET') return new Response(null, { status: 405 });
      const { id, method, params } = Message.parse(init.body);
      if (id !== undefined && method !== undefined) return request(id, input, init);
      if (params?.requestId !== undefined) pending.delete(params.requestId);
      return notices.track(fetch(input, init));
    },
    answered: (id) => {
      if (id !== undefined) pending.delete(id);
    },
    failureOf: (error) => (error instanceof McpError ? (failures.get(String(error.data)) ?? null) : null),
  };
}

const NO_ANSWER = 'The server ended its answer before it had given a result.';
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

const Id = z.union([z.string(), z.number()]);
/** What the transport sends: JSON with an id for a request or an answer, without one for a notification. */
const Message = z
  .string()
  .catch('{}')
  .transform((text): unknown => JSON.parse(text))
  .pipe(
    z.object({
      id: Id.optional(),
      method: z.string().optional(),
      params: z.object({ requestId: Id.optional() }).optional(),
    }),
  );
