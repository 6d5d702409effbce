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

/** GraphQL gives a variable of the wrong type no code, which a program would look for. */
function withCode(error: GraphQLError): GraphQLError {
  if ('code' in error.extensions || !error.message.startsWith('Variable "$')) return error;
  const { nodes, source, positions, path, extensions } = error;
  return new GraphQLError(withoutValue(error.message), {
    nodes,
    source,
    positions,
    path,
    extensions: { ...extensions, code: 'BAD_USER_INPUT' },
  });
}

/** GraphQL's message about a variable: which, the value that is wrong, where in it, and why. */
const WRONG_VALUE = /^(Variable "\$\w+") got invalid value (.*?)(?: at ("[^"]*"))?; ([^;]*)$/s;

/** Of a message without the value, as that may hold secrets: every object may, and some places do. */
function withoutValue(message: string): string {
  if (message.length > 10 * MAX_MESSAGE)
    return `${/^Variable "\$\w+"/.exec(message)?.[0]} holds a wrong value.`;
  const [short = ''] = message.split(/, found: [[{]/);
  const [, variable = '', value = '', place = '', reason = ''] = WRONG_VALUE.exec(short) ?? [];
  if (variable === '')
    return short.includes('{') ? `${/^Variable "\$\w+"/.exec(short)?.[0]} holds a wrong value.` : short;
  const at = place === '' ? '' : ` at ${place}`;
  if (/\.mcp\.(authorization|headers)\b/.test(place))
    return `${variable} holds a value of the wrong type${at}.`;
  return /^[[{]/.test(value) ? `${variable} got an invalid value${at}; ${reason}` : short;
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
