/**
 * The one error class of the project. `code` says what kind of failure it is; edges map it once: to a
 * GraphQL error with `extensions.code`, to an error of a response, or to an exit of the process.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: AppErrorCode;

  constructor(code: AppErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * - `INVALID_INPUT`: an argument the caller can mend, e.g. a malformed cursor
 * - `NOT_FOUND`: no such thing, or it belongs to another tenant
 * - `UNAUTHENTICATED`: the caller does not say who it is, or what it says does not hold
 * - `UPSTREAM`: the model server did not answer, or not as it should
 * - `UNAVAILABLE`: this server cannot take the work now (it is stopping)
 * - `START_FAILED`: the process cannot start; the message is for its operator
 */
export type AppErrorCode =
  | 'INVALID_INPUT'
  | 'NOT_FOUND'
  | 'UNAUTHENTICATED'
  | 'UPSTREAM'
  | 'UNAVAILABLE'
  | 'START_FAILED';

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * What kind of failure it was, innermost first, as far as that says nothing of anybody's data: the code of an
 * operating system or a library, or an HTTP status. Null if it says neither.
 */
export function kindOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const inner = kindOf(error instanceof AggregateError ? error.errors[0] : error.cause);
  if (inner !== null) return inner;
  if ('status' in error && typeof error.status === 'number') return `HTTP ${error.status}`;
  return 'code' in error && typeof error.code === 'string' && /^[A-Z][A-Z_\d]+$/.test(error.code)
    ? error.code
    : null;
}
