import { APIConnectionTimeoutError, APIError } from 'openai';
import type { ResponseErrorCode } from '../protocol/response.ts';
import { asNumber, asObject, asText } from '../util/json.ts';
import { withoutTokens } from '../util/redaction.ts';
import { ModelError } from './model-client.ts';

const MAX_MESSAGE = 500;

/** The failure of a request, as whoever asked for the response may read it. */
export function fromClientError(error: unknown, redact: (text: string) => string): ModelError {
  if (error instanceof ModelError) return error;
  if (error instanceof APIError && typeof error.status === 'number') {
    const { code, message } = toModelError(error.status, error.error ?? plainBody(error));
    return new ModelError(code, clean(message, redact), { cause: error });
  }
  if (error instanceof APIConnectionTimeoutError) {
    return new ModelError('server_error', 'The model did not answer in time.', { cause: error });
  }
  const reason = rootCause(error);
  return new ModelError('server_error', clean(`The connection to the model failed: ${reason}`, redact), {
    cause: error,
  });
}

/** A body that is not JSON stands in the client's message, behind the status. */
function plainBody({ status, message }: APIError): string | null {
  const body = message.replace(`${status} `, '');
  return body === 'status code (no body)' ? null : body;
}

/**
 * An error body, or an error that came in a stream, in the vocabulary of `Response.error`.
 * `status` is the HTTP status where there is one; in a stream a numeric code stands for it. Its message has yet to
 * go through `clean`.
 */
export function toModelError(status: number | null, body: unknown): ModelError {
  const error = asObject(body);
  const numeric =
    status ?? numberIn(error?.['status_code']) ?? numberIn(error?.['code']) ?? numberIn(error?.['status']);
  const message =
    upstreamWords(body) || (numeric === null ? 'The model failed.' : `The model failed (${numeric}).`);
  const names = [asText(error?.['code']), asText(error?.['type'])];
  return new ModelError(codeOf(numeric, names, message), message);
}

function codeOf(status: number | null, names: readonly string[], message: string): ResponseErrorCode {
  if (status === 429 || names.includes('rate_limit_exceeded')) return 'rate_limit_exceeded';
  const isRefusal = status === 400 || status === 404 || status === 413 || status === 422;
  if (names.includes('context_length_exceeded')) return 'context_length_exceeded';
  if (isRefusal && (namesContext(message) || names.includes('exceed_context_size_error'))) {
    return 'context_length_exceeded';
  }
  return isRefusal ? 'invalid_prompt' : 'server_error';
}

function namesContext(message: string): boolean {
  return /context.{0,20}(length|size|window)|(prompt|input) is too long|too many tokens/i.test(message);
}

/** The words in an error body: every provider keeps them somewhere else. */
function upstreamWords(body: unknown): string {
  if (typeof body === 'string') return body.trim();
  const error = asObject(body);
  if (error === null) return body === undefined || body === null ? '' : JSON.stringify(body);
  if (error['error'] !== undefined && error['error'] !== null) return upstreamWords(error['error']);
  if (typeof error['message'] === 'string') return error['message'];
  const detail = error['detail'] ?? error['message'];
  if (typeof detail === 'string') return detail;
  return JSON.stringify(detail ?? error);
}

/** Keys and headers stay here, whatever an upstream repeats; what is cut off is cut after that. */
export function clean(message: string, redact: (text: string) => string): string {
  return withoutTokens(redact(message)).slice(0, MAX_MESSAGE);
}

function numberIn(value: unknown): number | null {
  return asNumber(value) ?? (typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : null);
}

/** The innermost cause says what happened: "fetch failed" and "Connection error." do not. */
function rootCause(error: unknown): string {
  let current: unknown = error;
  while (current instanceof Error && current.cause !== undefined) current = current.cause;
  if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0];
  return current instanceof Error ? current.message : String(current);
}
