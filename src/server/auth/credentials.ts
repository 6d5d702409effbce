import { AppError } from '../../util/errors.ts';

/** The longest token that is looked at. In characters. */
const MAX_TOKEN = 8192;

const BEARER = /^bearer +([\w.~+/-]+=*)$/i;

/**
 * The token of `Authorization: Bearer …`, from every place where a caller may say it.
 *
 * @throws AppError UNAUTHENTICATED when there is none, something else, or more than one.
 */
export function bearerToken(values: readonly unknown[]): string {
  const [value, ...others] = new Set(values.filter((each) => each !== undefined && each !== null));
  if (value === undefined)
    throw new AppError(
      'UNAUTHENTICATED',
      'This server wants to know who calls: send "Authorization: Bearer …".',
    );
  if (others.length > 0) throw refused('There is more than one Authorization.');
  const token = typeof value === 'string' && value.length <= MAX_TOKEN ? BEARER.exec(value)?.[1] : undefined;
  if (token === undefined) throw refused('The Authorization is not of the form "Bearer …".');
  return token;
}

/** What a caller is told whose credentials do not hold. */
export function refused(message: string, cause?: unknown): AppError {
  return new AppError('UNAUTHENTICATED', message, { cause });
}
