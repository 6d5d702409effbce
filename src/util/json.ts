/** Careful reading of JSON that somebody else wrote: the wrong shape reads as absent, and never throws. */
export type Json = { readonly [key: string]: unknown };

export function asObject(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The string, or '' for anything else. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A count of tokens, characters or bytes. More than 31 bits is no such thing, and no reader could take it. */
export function asInt(value: unknown): number | null {
  const count = asCount(value);
  return count !== null && count < 2 ** 31 ? count : null;
}

/** A count of something: a whole number from 0, or null. */
export function asCount(value: unknown): number | null {
  const number = asNumber(value);
  return number !== null && number >= 0 ? Math.trunc(number) : null;
}
