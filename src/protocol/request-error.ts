/** What the caller of a mutation can mend. Given back as data, all errors of a request at once. */
export interface RequestError {
  readonly code: RequestErrorCode;
  readonly message: string;
  /** The input field, from the outside in, e.g. `["tools", "0", "function", "name"]`. */
  readonly path: readonly string[] | null;
  /** With LIMIT_EXCEEDED: when it is worth trying again. */
  readonly retryAfterSeconds?: number;
}

export type RequestErrorCode =
  | 'INVALID_INPUT'
  | 'RESPONSE_NOT_FOUND'
  | 'PREVIOUS_RESPONSE_NOT_FOUND'
  | 'ITEM_NOT_FOUND'
  | 'APPROVAL_NOT_FOUND'
  | 'PREVIOUS_RESPONSE_NOT_ENDED'
  | 'ALREADY_ENDED'
  | 'APPROVAL_ALREADY_ANSWERED'
  | 'IDEMPOTENCY_MISMATCH'
  | 'LIMIT_EXCEEDED';

export function invalidInput(path: readonly string[], message: string): RequestError {
  return { code: 'INVALID_INPUT', path, message };
}
