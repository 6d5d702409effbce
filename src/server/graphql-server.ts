import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Engine } from '../engine/engine.ts';
import { type Context, createContext } from '../graphql/context.ts';
import { schema } from '../graphql/schema.ts';
import type { Logger } from '../util/logger.ts';
import { createErrorMask } from './mask-error.ts';
import { renderPlayground } from './playground.ts';
import { useBoundedInput } from './plugins/use-bounded-input.ts';
import { useEventStreamHeaders } from './plugins/use-event-stream-headers.ts';
import { useFrontDoor } from './plugins/use-front-door.ts';
import { useHealth } from './plugins/use-health.ts';
import { useResultBatches } from './plugins/use-result-batches.ts';
import { useSameOrigin } from './plugins/use-same-origin.ts';
import { useStrictJson } from './plugins/use-strict-json.ts';

export const ENDPOINT = '/graphql';

/** What a WebSocket operation brings in place of a request. */
export interface SocketContext {
  /** Aborted when the client completes the operation or its socket closes. */
  readonly callerSignal?: AbortSignal;
}

export type GraphQLServer = YogaServerInstance<SocketContext, Context>;

export interface GraphQLServerOptions {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly isReady: () => Promise<boolean>;
}

/** More than a long conversation with images needs. In bytes. */
export const MAX_BODY = 25_000_000;

/** GraphQL over HTTP and SSE; the WebSocket server executes through it too. */
export function createGraphQLServer({ engine, logger, isReady }: GraphQLServerOptions): GraphQLServer {
  const maskError = createErrorMask(logger);
  return createYoga<SocketContext, Context>({
    schema,
    graphqlEndpoint: ENDPOINT,
    context: ({ request, callerSignal }) =>
      createContext({ engine, scope: { tenant: 'default' }, signal: callerSignal ?? request.signal }),
    maskedErrors: { maskError },
    renderGraphiQL: renderPlayground,
    landingPage: false,
    cors: false, // the default would mirror any origin, credentials included
    multipart: false,
    maxRequestBodySize: MAX_BODY,
    logging: false, // unexpected errors are logged where they are masked
    plugins: [
      useSameOrigin(), // first: nothing of a foreign page's request is read
      useFrontDoor(ENDPOINT),
      useHealth({ isReady }),
      useStrictJson(),
      useBoundedInput(), // before anything walks through what was sent
      useResultBatches(maskError),
      useEventStreamHeaders(), // on the way out
    ],
  });
}
