import { z } from 'zod';

/** A timer set for longer than this would go off at once. */
const MAX_TIMER = 2_147_483_647;

/** A time from `low` milliseconds on. */
export const milliseconds = (low: number) => {
  const error = `a whole number from ${low} to ${MAX_TIMER}, in milliseconds`;
  return z.coerce.number(error).int(error).min(low, error).max(MAX_TIMER, error);
};
export const url = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'an http or https URL');
export const postgresUrl = z
  .string()
  .refine(
    (text) => /^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? '') && isDecodable(text),
    'a URL like postgres://host/database, with user:password@ before the host',
  );
export const redisUrl = z
  .string()
  .refine(
    (text) => /^rediss?:$/.test(URL.parse(text)?.protocol ?? '') && isDecodable(text),
    'a URL like redis://host:6379',
  );

/** A stray "%" in a password is no part of a URL, and the clients throw what they cannot decode. */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const MAX_COUNT = 1_000_000_000;
/** A whole number from `low` on. */
export const count = (low: number) => {
  const error = `a whole number from ${low} to ${MAX_COUNT}`;
  return z.coerce.number(error).int(error).min(low, error).max(MAX_COUNT, error);
};
const PORT_RANGE = 'a whole number from 0 to 65535';
export const port = z.coerce.number(PORT_RANGE).int(PORT_RANGE).min(0, PORT_RANGE).max(65_535, PORT_RANGE);
export const boolean = z.stringbool({ truthy: ['true'], falsy: ['false'], error: 'true or false' });

/** One of some words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, words.length === 2 ? words.join(' or ') : `one of ${words.join(', ')}`);
