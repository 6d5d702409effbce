import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders, Server } from 'node:http';
import { handleProtocols } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import { ENDPOINT, type GraphQLServer } from './graphql-server.ts';
import { foreignness, type OriginRules } from './origins.ts';
import { createProtocol, type ProtocolOptions } from './socket/protocol.ts';
import { type SocketOptions, serveSocket } from './socket/serve-socket.ts';

export interface SocketServer {
  /** Closes every socket with 1012 (try again, elsewhere) and takes no more. */
  close(): Promise<void>;
}

export interface WebSocketOptions extends SocketOptions, ProtocolOptions {
  readonly front: OriginRules;
  readonly limits: ProtocolOptions['limits'] & {
    /** Of a message, in bytes. A longer one ends its socket (1009). */
    readonly maxMessageBytes: number;
    /** Sockets at once; more are refused (503). */
    readonly maxConnections: number;
  };
}

/** GraphQL over WebSocket: the protocol of graphql-ws, with the schema, the context and the masks of HTTP. */
export function attachWebSocket(
  server: Server,
  graphql: GraphQLServer,
  options: WebSocketOptions,
): SocketServer {
  const { logger, limits, front } = options;
  const sockets = new WebSocketServer({
    server,
    path: ENDPOINT,
    maxPayload: limits.maxMessageBytes,
    handleProtocols,
    verifyClient: ({ req: { headers } }: Handshake, decide: Decide) => {
      const { origin, host } = headers;
      const reason = foreignness({ origin, host, fetchSite: String(headers['sec-fetch-site']) }, front);
      if (reason !== null) return decide(false, 403, reason, PLAIN);
      const isFull = sockets.clients.size >= limits.maxConnections;
      if (isFull) return decide(false, 503, FULL, { ...PLAIN, 'Retry-After': '10' });
      decide(true);
    },
  });
  const protocol = createProtocol(graphql, options);
  sockets.on('connection', (socket, request) => {
    const authorizations = request.headersDistinct['authorization'] ?? [];
    serveSocket({ socket, connection: request.socket, authorizations }, protocol, options);
  });
  sockets.on('error', (error) => logger.error({ error }, 'the WebSocket server broke'));
  return {
    close: async () => {
      for (const socket of sockets.clients) socket.close(1012, 'Service restart');
      const closed = once(sockets, 'close');
      sockets.close();
      const timer = setTimeout(() => sockets.clients.forEach((socket) => void socket.terminate()), 500);
      await closed.finally(() => clearTimeout(timer));
    },
  };
}

interface Handshake {
  readonly req: IncomingMessage;
}

type Decide = (isGood: boolean, status?: number, reason?: string, headers?: OutgoingHttpHeaders) => void;

const PLAIN = {
  'Content-Type': 'text/plain',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
};
const FULL = 'This server has as many WebSockets as it takes (MAX_CONNECTIONS).';
