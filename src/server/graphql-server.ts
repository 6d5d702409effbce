import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Engine } from '../engine/engine.ts';
import { type Context, createContext } from '../graphql/context.ts';
import { schema } from '../graphql/schema.ts';
import type { Logger } from '../util/logger.ts';
import type { Authenticator } from './auth/authenticator.ts';
import type { Seats } from './auth/seats.ts';
import type { DocumentLimits } from './limits/check-document.ts';
import { createErrorMask } from './mask-error.ts';
import type { OriginRules } from './origins.ts';
import type { PersistedOperations } from './persisted/find-operation.ts';
import { renderPlayground } from './playground.ts';
import { type Authenticated, useAuthentication } from './plugins/use-authentication.ts';
import { useBoundedInput } from './plugins/use-bounded-input.ts';
import { useDocumentCache } from './plugins/use-document-cache.ts';
import { useDocumentLimits } from './plugins/use-document-limits.ts';
import { useEventStreamHeaders } from './plugins/use-event-stream-headers.ts';
import { useFrontDoor } from './plugins/use-front-door.ts';
import { useHealth } from './plugins/use-health.ts';
import { useHiddenSchema } from './plugins/use-hidden-schema.ts';
import { useOrigins } from './plugins/use-origins.ts';
import { usePagePolicy } from './plugins/use-page-policy.ts';
import { usePersistedOperations } from './plugins/use-persisted-operations.ts';
import { useRequestForms } from './plugins/use-request-forms.ts';
import { useResultBatches } from './plugins/use-result-batches.ts';
import { useStrictJson } from './plugins/use-strict-json.ts';

export const ENDPOINT = '/graphql';

/** What an operation brings with it; over WebSocket that is all, over HTTP there is a request too. */
export interface ServerContext extends Authenticated {
  readonly isOverSocket?: boolean;
}

export type GraphQLServer = YogaServerInstance<ServerContext, Context>;

export interface GraphQLServerOptions {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly isReady: () => Promise<boolean>;
  readonly limits: { readonly document: DocumentLimits; readonly maxBodyBytes: number };
  readonly front: Front;
  readonly operations: PersistedOperations;
  readonly authenticator: Authenticator;
  readonly seats: Seats;
}

/** What browsers and the curious may do. */
export interface Front extends OriginRules {
  readonly graphiql: boolean;
  /** False: neither the schema nor hints at it are shown. */
  readonly introspection: boolean;
  readonly getQueries: boolean;
}

/** GraphQL over HTTP and SSE; the WebSocket server executes through it too. */
export function createGraphQLServer(options: GraphQLServerOptions): GraphQLServer {
  const { engine, logger, isReady, authenticator, seats, limits, front, operations } = options;
  const maskError = createErrorMask(logger);
  return createYoga<ServerContext, Context>({
    schema,
    graphqlEndpoint: ENDPOINT,
    context: ({ caller, callerSignal: signal, isOverSocket = false }) => {
      if (caller === undefined || signal === undefined) throw new Error('An operation has no caller.'); // never lets anybody in by mistake
      return createContext({ engine, caller, signal, isOverSocket });
    },
    maskedErrors: { maskError },
    graphiql: front.graphiql,
    renderGraphiQL: renderPlayground,
    landingPage: false,
    cors: false, // the default would mirror any origin, credentials included; useOrigins knows better
    multipart: false,
    maxRequestBodySize: false, // its limit pipes each body through another stream; useStrictJson has one
    parserAndValidationCache: false, // it would keep a thousand documents of any length
    logging: false, // unexpected errors are logged where they are masked
    plugins: [
      useFrontDoor(ENDPOINT),
      useOrigins(front), // nothing of a foreign page's request is read
      useHealth({ isReady }),
      useAuthentication(authenticator), // before the body of a request is read
      useRequestForms(front),
      useStrictJson({ maxBytes: limits.maxBodyBytes }),
      usePersistedOperations(operations),
      useBoundedInput(), // before anything walks through what was sent
      useResultBatches(maskError, seats),
      useDocumentCache(),
      ...(front.introspection ? [] : [useHiddenSchema()]),
      useDocumentLimits(limits.document), // before the rules of GraphQL: bound the work
      useEventStreamHeaders(), // on the way out
      usePagePolicy(),
    ],
  });
}
