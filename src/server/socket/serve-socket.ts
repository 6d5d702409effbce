import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { messageOf } from '../../util/errors.ts';
import type { Logger } from '../../util/logger.ts';
import { isTooMuchJson } from '../limits/json-size.ts';
import { watchStuck } from '../watch-stuck.ts';
import { abortAll, type Extra, releaseLeft } from './operations.ts';
import type { SocketProtocol } from './protocol.ts';
import { createOutlet, type Outlet } from './result-writer.ts';

export interface SocketOptions {
  readonly logger: Logger;
  /** A socket whose client reads nothing for so long is closed. In milliseconds. */
  readonly stuckMs: number;
}

/** Between two pings; a socket that answers none until the next is cut. In milliseconds. */
const PING_MS = 12_000;

/**
 * How long a client may take for its goodbye, in milliseconds: it is behind all that the client has yet to read, and one
 * that reads nothing never comes to it.
 */
const GOODBYE_MS = 3000;

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
export function serveSocket(client: Client, protocol: SocketProtocol, options: SocketOptions): void {
  const { logger, stuckMs } = options;
  const { socket, connection } = client;
  const served = new ServedSocket(client, logger);
  const ping = setInterval(() => served.ping(), PING_MS);
  const unwatch = watchStuck(connection, stuckMs, () => served.sendAway(1013, 'Too slow'));
  boundIntroduction(connection, served);
  socket.on('pong', () => served.hear());
  socket.on('ping', () => served.bound());
  const closed = protocol.opened(served, served);
  socket.on('error', (error) => logger.debug({ error }, 'a socket broke'));
  socket.on('close', (code, reason) => {
    clearInterval(ping);
    unwatch();
    abortAll(served);
    served.release?.();
    Promise.resolve(closed(code, String(reason))).catch((error: unknown) => {
      logger.error({ error }, 'a socket could not be closed');
    });
    served.leave();
  });
}

/** Sends those away who say too much before they are let in. */
function boundIntroduction(connection: Socket, served: ServedSocket): void {
  let heard = 0;
  const weigh = (bytes: Buffer) => {
    if (served.caller !== null) return connection.off('data', weigh);
    heard += bytes.length;
    if (heard <= MAX_INTRODUCTION) return undefined;
    served.sendAway(1009, 'Too long');
    return connection.pause();
  };
  connection.on('data', weigh);
}

/** One of thousands that last long, most of them quiet: hence one object, for the protocol and for what is kept beside it. */
class ServedSocket implements Extra {
  readonly callers: Extra['callers'] = new Map();
  state: Extra['state'] = null;
  caller: Extra['caller'] = null;
  release: Extra['release'] = null;
  readonly outlet: Outlet;
  readonly authorizations: readonly string[];
  private readonly socket: WebSocket;
  private readonly logger: Logger;
  private readonly gone: Promise<void>;
  /** To be called once the socket has closed. */
  readonly leave: () => void;
  private isAlive = true;

  constructor({ socket, connection, authorizations }: Client, logger: Logger) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.leave = resolve;
    this.socket = socket;
    this.logger = logger;
    this.outlet = createOutlet(socket, connection, promise);
    this.authorizations = authorizations;
  }

  get protocol(): string {
    return this.socket.protocol;
  }

  get isGone(): boolean {
    return this.socket.readyState === this.socket.CLOSED;
  }

  ping(): void {
    const { socket } = this;
    // A ping behind what the client has yet to read comes late: whether anything moves at all, the watch sees.
    if (!this.isAlive && socket.bufferedAmount === 0) return socket.terminate();
    this.isAlive = false;
    socket.ping();
  }

  hear(): void {
    this.isAlive = true;
  }

  bound(): void {
    if (this.socket.bufferedAmount > MAX_BUFFERED) this.sendAway(1013, 'Too slow');
  }

  send(text: string): Promise<void> {
    return new Promise((resolve) => {
      // What comes after a close is not asked for any further.
      if (this.socket.readyState !== this.socket.OPEN) return resolve(this.gone);
      this.socket.send(text, () => resolve());
      this.bound();
    });
  }

  close(code = 1000, reason = ''): void {
    this.sendAway(code, reason); // it may be one that holds its place on purpose
  }

  onMessage(take: (text: string) => Promise<void>): void {
    const { socket } = this;
    socket.on('message', (data) => {
      if (socket.readyState !== socket.OPEN) return; // it was told to go, and may not have read that yet
      const text = String(data);
      if (isTooMuchJson(text)) return this.sendAway(4400, 'Too many values');
      take(text).catch((error: unknown) => {
        if (UNEXPECTED.test(messageOf(error))) return socket.close(4400, 'Unexpected message');
        this.logger.error({ error }, 'a WebSocket message broke');
        socket.close(1011, 'Internal server error');
      });
      releaseLeft(this);
    });
  }

  /**
   * Closes a socket whose client may read nothing of that: what it has asked for ends at once. With 1013 it may come
   * again, and go on where it was.
   */
  sendAway(code: number, reason: string): void {
    const { socket } = this;
    if (socket.readyState !== socket.OPEN) return;
    socket.close(code, reason);
    abortAll(this);
    setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
  }
}
