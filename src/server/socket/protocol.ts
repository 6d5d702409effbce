import { GraphQLError } from 'graphql';
import { makeServer, type Server } from 'graphql-ws';
import type { ResultBatches } from '../../graphql/live/subscribe-in-batches.ts';
import type { GraphQLServer } from '../graphql-server.ts';
import { limitError } from '../limits/limit-error.ts';
import { findOperation, type PersistedOperations } from '../persisted/find-operation.ts';
import { batchesOf } from '../plugins/use-result-batches.ts';
import { admit, type Door } from './admit.ts';
import { type Extra, refuse } from './operations.ts';
import { writeResults } from './result-writer.ts';

export type SocketProtocol = Server<Extra>;

export interface ProtocolOptions extends Door {
  readonly operations: PersistedOperations;
  readonly limits: {
    /** A client that has not begun in this time is sent away (4408). In milliseconds. */
    readonly initTimeoutMs: number;
    /** Operations under way on one socket. */
    readonly maxSubscriptions: number;
  };
}

/** The protocol of graphql-ws, with the schema, the context and the masks of HTTP. */
export function createProtocol(graphql: GraphQLServer, options: ProtocolOptions): SocketProtocol {
  const { operations, limits } = options;
  return makeServer<undefined, Extra>({
    connectionInitWaitTimeout: limits.initTimeoutMs,
    execute: (args) => executorsOf(args).execute(args),
    subscribe: async (args) => {
      const { subscribe, write } = executorsOf(args);
      const result = await subscribe(args);
      const batches = batchesOf(args.contextValue);
      return batches === null ? result : write(batches);
    },
    onSubscribe: async ({ extra }, id, payload) => {
      if (extra.callers.size >= limits.maxSubscriptions)
        return refuse(extra, payload, [tooMany(limits.maxSubscriptions)]);
      const { caller } = extra;
      if (caller === null) throw new Error('A socket without a caller was let in.');
      const controller = new AbortController();
      extra.callers.set(payload, { id, controller });
      const { schema, execute, subscribe, contextFactory, parse, validate } = graphql.getEnveloped({
        callerSignal: controller.signal,
        caller,
        isOverSocket: true,
        params: payload,
      });
      try {
        const document = parse(findOperation(payload, operations) ?? '');
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
      return admit(options, state.extra, state.connectionParams);
    },
    onComplete: ({ extra }, _id, payload) => {
      extra.callers.delete(payload);
    },
  });
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

function tooMany(allowed: number): GraphQLError {
  return limitError({
    limit: 'MAX_SUBSCRIPTIONS_PER_CONNECTION',
    what: 'operations under way on this connection',
    allowed,
    counted: null,
  });
}
