import type { McpCredentials } from '../../protocol/tools.ts';
import { createRedactor, REDACTED } from '../../util/redaction.ts';
import { ToolFailure } from '../tool-failure.ts';

/**
 * What a server is told, and the means to keep it from everybody else when the server repeats it. Only plain echoes
 * are removed, in the usual encodings too: a hostile server can always write a secret so that nobody recognises it.
 */
export interface McpSecretGuard {
  /** For every request. The names are in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The text with every secret replaced. */
  redact(text: string): string;
  /**
   * A copy of parsed JSON with every secret in its strings and keys replaced, and every number that is one.
   * @throws ToolFailure `protocol` if it is nested deeper than anybody could use
   */
  redactJson(value: unknown): unknown;
}

/** Shorter values are words such as "true": whoever replaced them would garble everything and hide nothing. */
const MIN_LENGTH = 6;
/** Of what is a secret for certain. */
const MIN_TOKEN_LENGTH = 4;
const MAX_DEPTH = 200;

/** @param credentials Absent for a server that needs none. */
export function createSecretGuard(credentials: McpCredentials | undefined): McpSecretGuard {
  const headers = toHeaders(credentials);
  const secrets = toSecrets(headers);
  const redact = createRedactor(secrets);
  // By value: parsing may have rounded a long one. None that begins with 0, or "000001" would hide every 1.
  const numbers = new Set(secrets.filter((secret) => /^-?[1-9]\d*(\.\d*[1-9])?$/.test(secret)).map(Number));
  const redactJson = (value: unknown, depth = 0): unknown => {
    if (typeof value === 'string') return redact(value);
    if (typeof value === 'number') return numbers.has(value) ? REDACTED : value;
    if (typeof value !== 'object' || value === null) return value;
    if (depth > MAX_DEPTH)
      throw new ToolFailure('protocol', 'The answer of the server is nested too deeply.');
    if (Array.isArray(value)) return value.map((each) => redactJson(each, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [redact(key), redactJson(each, depth + 1)]),
    );
  };
  return { headers, redact, redactJson: (value) => redactJson(value) };
}

function toHeaders(credentials: McpCredentials | undefined): McpSecretGuard['headers'] {
  if (credentials === undefined) return [];
  const headers = new Map(
    Object.entries(credentials.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const authorization = credentials.authorization?.trim() ?? '';
  if (authorization !== '') {
    headers.set('authorization', hasScheme(authorization) ? authorization : `Bearer ${authorization}`);
  }
  return [...headers];
}

function toSecrets(headers: McpSecretGuard['headers']): readonly string[] {
  return headers.flatMap(([name, value]) => {
    const min = name === 'authorization' ? MIN_TOKEN_LENGTH : MIN_LENGTH;
    return partsOf(value.trim()).filter(({ length }) => length >= min);
  });
}

/** The whole, what follows its scheme, and the login and the password in that. */
function partsOf(whole: string): readonly string[] {
  if (!hasScheme(whole)) return [whole];
  const token = whole.replace(/^\S+\s+/, '');
  if (!/^basic\s/i.test(whole)) return [whole, token];
  const login = Buffer.from(token, 'base64').toString();
  return [whole, token, login, login.replace(/^[^:]*:/, '')];
}

function hasScheme(value: string): boolean {
  return /^\S+\s+\S/.test(value);
}
