import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { atMost } from './deadline.ts';
import { cancelledIdOf, requestIdOf } from './messages.ts';
import { createNotices } from './notices.ts';
import type { Requests } from './requests.ts';

export interface Guarding {
  readonly requests: Requests;
  /** To be told that a request has been sent, and its answer read unless that is a stream. May throw. */
  readonly onSent?: (id: number) => void;
  /** Ends the session on the server, if closing the transport does not. */
  readonly leave?: () => Promise<void>;
}

/** The SDK answers each with a request of its own, so a server could have as many connections as it likes. */
const MAX_ASKED = 20;
const GOODBYE_MS = 1500;
/** What is on its way at the end gets that long, as the goodbye itself matters more. */
const FLUSH_MS = 500;

/**
 * What the protocol sees of a transport. It hears of answers to what is in flight, of progress, and of the first few
 * things that the server asks for; nothing else means anything to this client. Closing it says goodbye first, also
 * where the SDK closes it after an `initialize` that failed late; it takes 1.5 seconds at most.
 */
export function guardTransport(transport: Transport, { requests, onSent, leave }: Guarding): Transport {
  const notices = createNotices();
  let asked = 0;
  let closed: Promise<void> | null = null;

  function hear(message: JSONRPCMessage): void {
    if ('method' in message) {
      const isHeard = 'id' in message ? ++asked <= MAX_ASKED : message.method === 'notifications/progress';
      if (isHeard) guarded.onmessage?.(message);
      return;
    }
    const id = Number(message.id);
    if (!requests.has(id)) return;
    guarded.onmessage?.(message);
    requests.answered(id);
  }

  async function sendRequest(id: number, ...message: Parameters<Transport['send']>): Promise<void> {
    requests.begin(id);
    try {
      await transport.send(...message);
      onSent?.(id);
    } catch (error) {
      requests.drop(id);
      throw error;
    }
  }

  async function close(): Promise<void> {
    await atMost(GOODBYE_MS, sayGoodbye()); // a server may refuse to hear it
    await transport.close();
  }

  async function sayGoodbye(): Promise<void> {
    await atMost(FLUSH_MS, notices.flush());
    await leave?.();
  }

  const guarded: Transport = {
    start: () => transport.start(),
    async send(message, options) {
      const id = requestIdOf(message);
      if (id !== null) return sendRequest(id, message, options);
      const cancelled = cancelledIdOf(message);
      // The SDK takes back what has been answered, too.
      if (cancelled !== null && !requests.has(cancelled)) return;
      if (cancelled !== null) requests.drop(cancelled);
      await notices.track(transport.send(message, options));
    },
    close: () => {
      closed ??= close();
      return closed;
    },
    setProtocolVersion: (version) => transport.setProtocolVersion?.(version),
  };
  const { onerror } = transport;
  transport.onmessage = hear;
  transport.onclose = () => guarded.onclose?.();
  transport.onerror = (error) => {
    onerror?.(error);
    guarded.onerror?.(error);
  };
  return guarded;
}
