import { createHash } from 'node:crypto';
import type { ResponseId } from '../../protocol/ids.ts';
import type { RequestError } from '../../protocol/request-error.ts';
import type { Scope } from '../../protocol/scope.ts';
import type { Tenants } from '../../store/database.ts';
import { findIdempotencyKey } from '../../store/idempotency.ts';
import type { CreateInput } from './create-input.ts';

/** An idempotency key with what it stands for. */
export interface Idempotency {
  readonly key: string;
  readonly inputHash: string;
}

/** The key of a request; null if it has none, or can have none. */
export function idempotencyOf(input: CreateInput): Idempotency | null {
  const key = input.store ? (input.idempotencyKey ?? null) : null;
  return key === null ? null : { key, inputHash: hashOf(input) };
}

/** The response that an earlier request with the key has started, or why this one cannot join it; null if there was none. */
export async function findJoined(
  tenants: Tenants,
  scope: Scope,
  { key, inputHash }: Idempotency,
): Promise<{ readonly responseId: ResponseId } | { readonly error: RequestError } | null> {
  if (key.includes('\0') || !key.isWellFormed()) return null; // refused by the check
  const used = await findIdempotencyKey(tenants, scope, key);
  if (used === null) return null;
  const path = ['idempotencyKey'];
  const mismatch = (message: string) => ({
    error: { code: 'IDEMPOTENCY_MISMATCH', message, path } as const,
  });
  if (used.inputHash !== inputHash)
    return mismatch(`The key "${key}" was used for another input. Every field of the input counts.`);
  if (used.responseId === null) return mismatch(`The response of the key "${key}" has been deleted.`);
  return { responseId: used.responseId };
}

/**
 * Equal for equal inputs, whatever the order of their fields; the key itself is left out. So are secrets: a token
 * may be renewed between two tries, and what is kept must not tell a short one.
 */
function hashOf({ idempotencyKey: _, ...input }: CreateInput): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(withoutSecrets(input))))
    .digest('hex');
}

/** Fields whose value is the caller's own JSON: there a null says something. */
const OWN_JSON: ReadonlySet<string> = new Set([
  'parameters',
  'schema',
  'metadata',
  'inputSchema',
  'annotations',
]);

/** A field that is null asks for no more than one that is absent. */
function sorted(value: unknown, isOwnJson = false): unknown {
  if (Array.isArray(value)) return value.map((each) => sorted(each, isOwnJson));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([, each]) => isOwnJson || (each !== undefined && each !== null),
  );
  // As pairs: an object would drop a key like __proto__.
  return entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => [key, sorted(each, isOwnJson || OWN_JSON.has(key))]);
}

function withoutSecrets(input: Omit<CreateInput, 'idempotencyKey'>) {
  const tools = input.tools?.map(({ mcp, ...tool }) => {
    if (!mcp) return tool;
    const { authorization: _, headers, ...rest } = mcp;
    return { ...tool, mcp: { ...rest, headers: namesIn(headers) } };
  });
  return { ...input, tools };
}

function namesIn(headers: unknown): readonly string[] {
  return Object.keys(Object(headers))
    .map((key) => key.toLowerCase())
    .sort();
}
