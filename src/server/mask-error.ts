import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { ModelError } from '../model/model-client.ts';
import { isDatabaseAway } from '../store/database.ts';
import { AppError } from '../util/errors.ts';
import type { Logger } from '../util/logger.ts';

/**
 * The one place where errors become what a caller sees: ours with their code, GraphQL's own as they are, and
 * everything unexpected as "Internal server error" with an id that the log has too.
 */
export function createErrorMask(logger: Logger): (error: unknown) => GraphQLError {
  return (error) => {
    const original = originOf(error);
    if (original instanceof AppError) return coded(error, original.message, { code: original.code });
    if (original instanceof ModelError) return coded(error, original.message, { code: 'UPSTREAM' });
    if (original === null && error instanceof GraphQLError) return withoutQuotes(withCode(error));
    if (isAbort(original)) return coded(error, 'The caller has gone.', { code: 'ABORTED' });
    if (isDatabaseAway(original)) {
      logger.warn({ error: original }, 'the database is away; a request failed');
      return coded(error, 'The database does not answer. Try again.', { code: 'UNAVAILABLE' });
    }
    const id = randomUUID();
    logger.error({ error: original ?? error, errorId: id }, 'a request broke');
    return coded(error, 'Internal server error', { code: 'INTERNAL', id });
  };
}

/** Places whose values are secrets, which GraphQL's own message would repeat. */
const SECRET_PLACE =
  /^(Variable "\$\w+") got invalid value .* at ("[^"]*\.mcp\.(?:authorization|headers)\b[^"]*")/s;

/** GraphQL gives a variable of the wrong type no code, which a program would look for. */
function withCode(error: GraphQLError): GraphQLError {
  if ('code' in error.extensions || !error.message.startsWith('Variable "$')) return error;
  const [, variable, place] = SECRET_PLACE.exec(error.message) ?? [];
  const message =
    place === undefined ? error.message : `${variable} holds a value of the wrong type at ${place}.`;
  const { nodes, source, positions, path, extensions } = error;
  return new GraphQLError(message, {
    nodes,
    source,
    positions,
    path,
    extensions: { ...extensions, code: 'BAD_USER_INPUT' },
  });
}

/** A longer message quotes what was sent. */
const MAX_MESSAGE = 1000;

/** GraphQL's own messages may quote a whole value. */
function withoutQuotes(error: GraphQLError): GraphQLError {
  if (error.message.length <= MAX_MESSAGE) return error;
  const { nodes, source, positions, path, extensions } = error;
  const message = `${error.message.slice(0, MAX_MESSAGE)}…`;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}

/** What was thrown beneath a GraphQL error; null if that is all there is. */
function originOf(error: unknown): unknown {
  if (!(error instanceof GraphQLError)) return error;
  const inner = error.cause ?? error.originalError ?? null;
  return inner instanceof GraphQLError ? originOf(inner) : inner;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Keeps where in the query it happened. */
function coded(
  error: unknown,
  message: string,
  extensions: { readonly [key: string]: string },
): GraphQLError {
  const { nodes, path } = error instanceof GraphQLError ? error : {};
  return new GraphQLError(message, { nodes, path, extensions });
}
