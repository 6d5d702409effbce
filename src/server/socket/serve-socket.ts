import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { messageOf } from '../../util/errors.ts';
import type { Logger } from '../../util/logger.ts';
import { isTooMuchJson } from '../limits/json-size.ts';
import { watchStuck } from '../watch-stuck.ts';
import { abortAll, type Extra, releaseLeft } from './operations.ts';
import type { SocketProtocol } from './protocol.ts';
import { createOutlet } from './result-writer.ts';

export interface SocketOptions {
  readonly logger: Logger;
  /** A socket whose client reads nothing for so long is closed. In milliseconds. */
  readonly stuckMs: number;
}

/** Between two pings; a socket that answers none until the next is cut. In milliseconds. */
const PING_MS = 12_000;

/** How long a client may take for its goodbye, in milliseconds: one that reads nothing never comes to it. */
const GOODBYE_MS = 1000;

/**
 * More than this is kept for no socket, in bytes: it asks, or pings, faster than it reads. Each of its subscriptions
 * has at most one event waiting.
 */
const MAX_BUFFERED = 64 * 1024 * 1024;

/**
 * More than this nobody sends before they are let in, in bytes: tokens have some thousands. Messages are kept until they
 * are whole, and those of callers may be long.
 */
const MAX_INTRODUCTION = 64 * 1024;

/** What the protocol throws for messages that only a server may send. */
const UNEXPECTED = /^Unexpected message of type \w+ received$/;

interface Client {
  readonly socket: WebSocket;
  /** What the socket stands on. */
  readonly connection: Socket;
  /** Every Authorization of the request that became the socket. */
  readonly authorizations: readonly string[];
}

/** Speaks the protocol with one client, for as long as it lives. */
export function serveSocket(
  { socket, connection, authorizations }: Client,
  protocol: SocketProtocol,
  { logger, stuckMs }: SocketOptions,
): void {
  const { promise: gone, resolve: leave } = Promise.withResolvers<void>();
  const closing = new AbortController();
  const extra: Extra = {
    callers: new Map(),
    state: null,
    outlet: createOutlet(socket, connection, gone),
    authorizations,
    caller: null,
    gone: closing.signal,
    sendAway: (code, reason) => sendAway(socket, code, reason),
  };
  let alive = true;
  const ping = setInterval(() => {
    // A ping behind what the client has yet to read comes late: whether anything moves at all, the watch sees.
    if (!alive && socket.bufferedAmount === 0) return socket.terminate();
    alive = false;
    socket.ping();
  }, PING_MS);
  const unwatch = watchStuck(connection, stuckMs, () => sendAway(socket, 1013, 'Too slow'));
  const bound = () => {
    if (socket.bufferedAmount > MAX_BUFFERED) sendAway(socket, 1013, 'Too slow');
  };
  let heard = 0;
  const weigh = (bytes: Buffer) => {
    if (extra.caller !== null) return connection.off('data', weigh);
    heard += bytes.length;
    if (heard <= MAX_INTRODUCTION) return undefined;
    sendAway(socket, 1009, 'Too long');
    return connection.pause();
  };
  connection.on('data', weigh);
  socket.on('pong', () => {
    alive = true;
  });
  socket.on('ping', bound);
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (text) =>
        new Promise((resolve) => {
          // What comes after a close is not asked for any further.
          if (socket.readyState !== socket.OPEN) return resolve(gone);
          socket.send(text, () => resolve());
          bound();
        }),
      close: (code = 1000, reason = '') => sendAway(socket, code, reason), // it may be one that holds its place on purpose
      onMessage: (take) => {
        socket.on('message', (data) => {
          const text = String(data);
          if (isTooMuchJson(text)) return sendAway(socket, 4400, 'Too many values');
          take(text).catch((error: unknown) => {
            if (UNEXPECTED.test(messageOf(error))) return socket.close(4400, 'Unexpected message');
            logger.error({ error }, 'a WebSocket message broke');
            socket.close(1011, 'Internal server error');
          });
          releaseLeft(extra);
        });
      },
    },
    extra,
  );
  socket.on('error', (error) => logger.debug({ error }, 'a socket broke'));
  socket.on('close', (code, reason) => {
    clearInterval(ping);
    unwatch();
    abortAll(extra);
    closing.abort();
    Promise.resolve(closed(code, String(reason))).catch((error: unknown) => {
      logger.error({ error }, 'a socket could not be closed');
    });
    leave();
  });
}

/** Closes a socket whose client may read nothing of that. With 1013 it may come again, and go on where it was. */
function sendAway(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.close(code, reason);
  setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
}
