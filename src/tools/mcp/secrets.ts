import type { McpCredentials } from '../../protocol/tools.ts';
import { ToolFailure } from '../tool-failure.ts';

/** What a server is told, and the means to keep it from everybody else when the server repeats it. */
export interface McpSecretGuard {
  /** For every request. The names are in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The text with every secret replaced. */
  redact(text: string): string;
  /**
   * A copy of parsed JSON with every secret in its strings and keys replaced.
   * @throws ToolFailure `protocol` if it is nested deeper than anybody could use
   */
  redactJson(value: unknown): unknown;
}

/** Shorter values are words such as "true": whoever replaced them would garble everything and hide nothing. */
const MIN_LENGTH = 8;
const MAX_DEPTH = 200;

/** @param credentials Absent for a server that needs none. */
export function createSecretGuard(credentials: McpCredentials | undefined): McpSecretGuard {
  const headers = toHeaders(credentials);
  const secrets = toSecrets(headers);
  const redact = (text: string): string => {
    let safe = text;
    for (const secret of secrets) safe = safe.replaceAll(secret, '[redacted]');
    return safe;
  };
  const redactJson = (value: unknown, depth = 0): unknown => {
    if (typeof value === 'string') return redact(value);
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

/** Each value, and what follows its scheme; the longest first, so that no part of one is replaced before the whole. */
function toSecrets(headers: McpSecretGuard['headers']): readonly string[] {
  const values = headers.flatMap(([, value]) => {
    const whole = value.trim();
    return hasScheme(whole) ? [whole, whole.replace(/^\S+\s+/, '')] : [whole];
  });
  return [...new Set(values)]
    .filter(({ length }) => length >= MIN_LENGTH)
    .toSorted((one, other) => other.length - one.length);
}

function hasScheme(value: string): boolean {
  return /^\S+\s+\S/.test(value);
}
