import type { IncomingMessage } from 'node:http';
import type { Plugin } from 'graphql-yoga';
import type { Caller } from '../../protocol/caller.ts';
import { AppError } from '../../util/errors.ts';
import type { Authenticator } from '../auth/authenticator.ts';

/** What an operation brings with it, whatever transport brought it. */
export interface Authenticated {
  readonly caller?: Caller;
  /** Aborted when the caller has gone, or may call no longer. */
  readonly callerSignal?: AbortSignal;
}

/** What comes from the server below. */
interface NodeContext {
  readonly req: IncomingMessage;
}

/** Callers of GraphQL say who they are before anything of their request is read; the playground's page is for everybody. */
export function useAuthentication(authenticator: Authenticator): Plugin<object, NodeContext> {
  const stopBy = new WeakMap<Request, () => void>();
  return {
    async onRequestParse({ request, serverContext, fetchAPI, endResponse }) {
      try {
        // Of several headers of this name `request` has the first only.
        const values = serverContext.req.headersDistinct['authorization'] ?? [];
        const found = authenticator.authenticate(values);
        const caller = found instanceof Promise ? await found : found;
        const leaving = new AbortController();
        const stop = authenticator.watch(caller, () => leaving.abort());
        const leave = () => {
          stop();
          leaving.abort(request.signal.reason);
        };
        request.signal.addEventListener('abort', leave);
        if (request.signal.aborted) leave();
        stopBy.set(request, stop);
        Object.assign(serverContext, { caller, callerSignal: leaving.signal } satisfies Authenticated);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        endResponse(refusal(error, request, fetchAPI.Response));
      }
    },
    onResponse({ request }) {
      stopBy.get(request)?.(); // a stream that begins here is watched by its seat
    },
  };
}

const GRAPHQL_RESPONSE = 'application/graphql-response+json';

function refusal(
  { code, message }: AppError,
  request: Request,
  Response: typeof globalThis.Response,
): Response {
  const isUnavailable = code === 'UNAVAILABLE';
  const isSpoken = request.headers.has('authorization');
  const takesNew = request.headers.get('accept')?.includes(GRAPHQL_RESPONSE) ?? false;
  const headers = {
    'content-type': `${takesNew ? GRAPHQL_RESPONSE : 'application/json'}; charset=utf-8`,
    ...(isUnavailable
      ? { 'retry-after': '5' }
      : { 'www-authenticate': isSpoken ? 'Bearer error="invalid_token"' : 'Bearer' }),
  };
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  return new Response(body, { status: isUnavailable ? 503 : 401, headers });
}
