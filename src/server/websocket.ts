import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { handleProtocols } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import { ENDPOINT, type GraphQLServer, MAX_BODY } from './graphql-server.ts';
import { isSameOrigin } from './same-origin.ts';
import { createProtocol } from './socket/protocol.ts';
import { type SocketOptions, serveSocket } from './socket/serve-socket.ts';

export interface SocketServer {
  /** Closes every socket with 1012 (try again, elsewhere) and takes no more. */
  close(): Promise<void>;
}

/** GraphQL over WebSocket: the protocol of graphql-ws, with the schema, the context and the masks of HTTP. */
export function attachWebSocket(
  server: Server,
  graphql: GraphQLServer,
  options: SocketOptions,
): SocketServer {
  const { logger } = options;
  const sockets = new WebSocketServer({
    server,
    path: ENDPOINT,
    maxPayload: MAX_BODY,
    handleProtocols,
    verifyClient: ({ req: { headers } }: { readonly req: IncomingMessage }) => {
      const { origin, host } = headers;
      return isSameOrigin({ origin, host, fetchSite: String(headers['sec-fetch-site']) });
    },
  });
  const protocol = createProtocol(graphql);
  sockets.on('connection', (socket, request) => {
    serveSocket({ socket, connection: request.socket }, protocol, options);
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
