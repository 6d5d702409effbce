import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SseError } from '@modelcontextprotocol/sdk/client/sse.js';
import type { z } from 'zod';
import { ToolFailure } from '../tool-failure.ts';
import { SessionGone, StatusFailure, saysOtherTransport, saysUnknownSession } from './errors.ts';
import { type Link, type LinkOptions, NO_LIMIT } from './link.ts';
import { openSse } from './sse-link.ts';
import { openStreamable } from './streamable-link.ts';

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
   * @throws SessionGone if the server does not know the session any more, and has not done what it was asked to or may
   * do it twice; else anything: see `toToolFailure`
   */
  request<Schema extends z.ZodType>(
    request: SessionRequest<Schema>,
    signal: AbortSignal,
  ): Promise<z.output<Schema>>;
  /** Tells the server and closes every connection. Never throws, and takes 1.5 seconds at most. */
  close(): Promise<void>;
}

/** Opens a session over Streamable HTTP, or over SSE if the server refuses that. Throws anything: see `toToolFailure`. */
export async function openSession(options: LinkOptions): Promise<McpSession> {
  return toSession(await openLink(options));
}

async function openLink(options: LinkOptions): Promise<Link> {
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
          // A call that might have been made is not made again, whatever the server says of the session.
          const isRefused = error instanceof StatusFailure && error.isRefusal;
          if (isRefused || request.method !== 'tools/call') {
            throw new SessionGone(error.message, { cause: error });
          }
        }
        throw link.failureOf(error) ?? error;
      }
    },
    close: link.close,
  };
}
