import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { GraphQLError } from 'graphql';
import { handleProtocols, makeServer, type Context as SocketState } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ResultBatches } from '../graphql/live/subscribe-in-batches.ts';
import type { Logger } from '../util/logger.ts';
import { ENDPOINT, type GraphQLServer, MAX_BODY } from './graphql-server.ts';
import { batchesOf } from './plugins/use-result-batches.ts';
import { createOutlet, type Outlet, writeResults } from './result-writer.ts';
import { isSameOrigin } from './same-origin.ts';
import { watchStuck } from './watch-stuck.ts';

export interface SocketServer {
  /** Closes every socket with 1012 (try again, elsewhere) and takes no more. */
  close(): Promise<void>;
}

/**
 * What this server keeps for a socket: a signal for each operation under way, aborted when its client leaves it.
 * The key is the operation's payload, one object for its whole life; its id a client may use again.
 */
interface Extra {
  readonly callers: Map<object, { readonly id: string; readonly controller: AbortController }>;
  state: SocketState<undefined, Extra> | null;
  readonly outlet: Outlet;
}

export interface SocketOptions {
  readonly logger: Logger;
  /** A socket whose client reads nothing for so long is closed. In milliseconds. */
  readonly stuckMs: number;
}

/** What operations are stopped with. One for all: making it costs more than all else about an end. */
const GONE = new DOMException('The caller has gone.', 'AbortError');

/** Between two pings; a socket that answers none until the next is cut. In milliseconds. */
const PING_MS = 12_000;

/** How long a client may take for its goodbye, in milliseconds: one that reads nothing never comes to it. */
const GOODBYE_MS = 1000;

/**
 * More than this is kept for no socket, in bytes: it asks, or pings, faster than it reads. Each of its subscriptions
 * has at most one event waiting.
 */
const MAX_BUFFERED = 64 * 1024 * 1024;

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
  const protocol = makeServer<undefined, Extra>({
    execute: (args) => executorsOf(args).execute(args),
    subscribe: async (args) => {
      const { subscribe, write } = executorsOf(args);
      const result = await subscribe(args);
      const batches = batchesOf(args.contextValue);
      return batches === null ? result : write(batches);
    },
    onSubscribe: async ({ extra }, id, payload) => {
      const controller = new AbortController();
      extra.callers.set(payload, { id, controller });
      const { schema, execute, subscribe, contextFactory, parse, validate } = graphql.getEnveloped({
        callerSignal: controller.signal,
        params: payload,
      });
      try {
        const document = parse(payload.query);
        const errors = validate(schema, document);
        if (errors.length > 0) return refuse(extra, payload, errors);
        return {
          schema,
          document,
          operationName: payload.operationName,
          variableValues: payload.variables,
          contextValue: await contextFactory(),
          rootValue: {
            execute,
            subscribe,
            write: (batches) => writeResults(batches, id, extra.outlet),
          } satisfies Executors,
        };
      } catch (error) {
        if (error instanceof GraphQLError) return refuse(extra, payload, [error]);
        throw error;
      }
    },
    onConnect: (state) => {
      state.extra.state = state;
    },
    onComplete: ({ extra }, _id, payload) => {
      extra.callers.delete(payload);
    },
  });

  sockets.on('connection', (socket, request) => {
    serve({ socket, connection: request.socket }, protocol, options);
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

type Execute = ReturnType<GraphQLServer['getEnveloped']>['execute'];
interface Executors {
  readonly execute: Execute;
  readonly subscribe: Execute;
  /** Writes the results of the operation to its socket. */
  readonly write: (batches: ResultBatches) => AsyncGenerator<never, void>;
}

/** The executors of an operation travel as its root value: the recipe of yoga for graphql-ws. */
function executorsOf(args: { readonly rootValue?: unknown }): Executors {
  return args.rootValue as Executors;
}

interface Client {
  readonly socket: WebSocket;
  /** What the socket stands on. */
  readonly connection: Socket;
}

function serve(
  { socket, connection }: Client,
  protocol: ReturnType<typeof makeServer<undefined, Extra>>,
  { logger, stuckMs }: SocketOptions,
): void {
  const { promise: gone, resolve: leave } = Promise.withResolvers<void>();
  const extra: Extra = { callers: new Map(), state: null, outlet: createOutlet(socket, connection, gone) };
  let alive = true;
  const ping = setInterval(() => {
    // A ping behind what the client has yet to read comes late: whether anything moves at all, the watch sees.
    if (!alive && socket.bufferedAmount === 0) return socket.terminate();
    alive = false;
    socket.ping();
  }, PING_MS);
  const unwatch = watchStuck(connection, stuckMs, () => sendAway(socket));
  const bound = () => {
    if (socket.bufferedAmount > MAX_BUFFERED) sendAway(socket);
  };
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
      close: (code, reason) => socket.close(code, reason),
      onMessage: (take) => {
        socket.on('message', (data) => {
          const text = String(data);
          take(text).catch((error: unknown) => {
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
    for (const { controller } of extra.callers.values()) controller.abort(GONE);
    Promise.resolve(closed(code, String(reason))).catch((error: unknown) => {
      logger.error({ error }, 'a socket could not be closed');
    });
    leave();
  });
}

/** The client may come again, and go on where it was. */
function sendAway(socket: WebSocket): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.close(1013, 'Too slow');
  setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
}

/** The protocol forgets a completed operation; one that answers once (a mutation) learns of it only here. */
function releaseLeft({ callers, state }: Extra): void {
  for (const [payload, { id, controller }] of callers) {
    if (state === null || id in state.subscriptions) continue;
    controller.abort(GONE);
    callers.delete(payload);
  }
}

/** The protocol tells nobody when an operation that was refused is over. */
function refuse(
  { callers }: Extra,
  payload: object,
  errors: readonly GraphQLError[],
): readonly GraphQLError[] {
  callers.delete(payload);
  return errors;
}
