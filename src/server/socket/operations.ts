import { GraphQLError } from 'graphql';
import type { Context as SocketState } from 'graphql-ws';
import type { Caller } from '../../protocol/caller.ts';
import type { Outlet } from './result-writer.ts';

/**
 * What this server keeps for a socket: a signal for each operation under way, aborted when its client leaves it.
 * The key is the operation's payload, one object for its whole life; its id a client may use again.
 */
export interface Extra {
  readonly callers: Map<object, { readonly id: string; readonly controller: AbortController }>;
  state: SocketState<undefined, Extra> | null;
  readonly outlet: Outlet;
  /** Every Authorization of the request that became the socket. */
  readonly authorizations: readonly string[];
  /** Null until the client has introduced itself. */
  caller: Caller | null;
  /** True once the socket has closed. */
  readonly isGone: boolean;
  /** Gives back what its caller was given with it. Called once the socket has closed; null while there is nothing. */
  release: (() => void) | null;
  /** Closes the socket, whether its client reads that or not. */
  sendAway(code: number, reason: string): void;
}

/** What operations are stopped with. One for all: making it costs more than all else about an end. */
const GONE = new DOMException('The caller has gone.', 'AbortError');

/** All operations of a socket end: its client has gone. */
export function abortAll({ callers }: Extra): void {
  for (const { controller } of callers.values()) controller.abort(GONE);
}

/** The protocol forgets a completed operation; one that answers once (a mutation) learns of it only here. */
export function releaseLeft({ callers, state }: Extra): void {
  for (const [payload, { id, controller }] of callers) {
    if (state === null || id in state.subscriptions) continue;
    controller.abort(GONE);
    callers.delete(payload);
  }
}

/** The protocol tells nobody when an operation that was refused is over. */
export function refuse(
  { callers }: Extra,
  payload: object,
  errors: readonly GraphQLError[],
): readonly GraphQLError[] {
  callers.delete(payload);
  return errors.map(withoutHttp);
}

/** What errors say to HTTP alone. */
function withoutHttp({ message, nodes, source, positions, path, extensions }: GraphQLError): GraphQLError {
  const { http: _, ...rest } = extensions;
  return new GraphQLError(message, { nodes, source, positions, path, extensions: rest });
}
