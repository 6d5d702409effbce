import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { ToolFailure } from '../tool-failure.ts';
import type { Fetch } from './fetch.ts';

export interface LinkOptions {
  readonly url: string;
  /** Adds the headers of the server, and throws a StatusFailure for every status from 400. */
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
}

/** What is particular to a transport. */
export interface Link {
  readonly client: Client;
  /** Why everything that waits now fails, if it is this; else null. */
  failureOf(error: unknown): ToolFailure | null;
  readonly isLost: boolean;
  readonly hasSession: boolean;
  /** Ends the session on the server, and every connection. Never throws, and takes 1.5 seconds at most. */
  close(): Promise<void>;
}

export const NO_LIMIT = 2 ** 31 - 1; // the caller's signal is the limit

const CLIENT = { name: 'responses-graphql', version: '0.1.0' };

/** If this fails, it does so only when the transport is closed: the server may have opened a session by then. */
export async function connect(transport: Transport, signal: AbortSignal): Promise<Client> {
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
