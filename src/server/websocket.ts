import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { GraphQLError } from 'graphql';
import { handleProtocols, makeServer, type Context as SocketState } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../util/logger.ts';
import { ENDPOINT, type GraphQLServer, MAX_BODY } from './graphql-server.ts';
import { isSameOrigin } from './same-origin.ts';

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
}

/** Between two pings; a socket that answers none until the next is cut. In milliseconds. */
const PING_MS = 12_000;

/** GraphQL over WebSocket: the protocol of graphql-ws, with the schema, the context and the masks of HTTP. */
export function attachWebSocket(server: Server, graphql: GraphQLServer, logger: Logger): SocketServer {
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
    subscribe: (args) => executorsOf(args).subscribe(args),
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
          rootValue: { execute, subscribe },
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

  sockets.on('connection', (socket) => serve(socket, protocol, logger));
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
}

/** The executors of an operation travel as its root value: the recipe of yoga for graphql-ws. */
function executorsOf(args: { readonly rootValue?: unknown }): Executors {
  return args.rootValue as Executors;
}

function serve(
  socket: WebSocket,
  protocol: ReturnType<typeof makeServer<undefined, Extra>>,
  logger: Logger,
): void {
  const extra: Extra = { callers: new Map(), state: null };
  let alive = true;
  const ping = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, PING_MS);
  socket.on('pong', () => {
    alive = true;
  });
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (text) =>
        new Promise((resolve) => {
          if (socket.readyState === socket.OPEN) socket.send(text, () => resolve());
          else resolve();
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
    for (const { controller } of extra.callers.values()) controller.abort();
    Promise.resolve(closed(code, String(reason))).catch((error: unknown) => {
      logger.error({ error }, 'a socket could not be closed');
    });
  });
}

/** The protocol forgets a completed operation; one that answers once (a mutation) learns of it only here. */
function releaseLeft({ callers, state }: Extra): void {
  for (const [payload, { id, controller }] of callers) {
    if (state === null || id in state.subscriptions) continue;
    controller.abort();
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
