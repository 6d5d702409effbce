import { z } from 'zod';
import { asObject } from '../../util/json.ts';
import { MAX_DATA_URL, MAX_JSON, MAX_JSON_LEVELS, MAX_TEXT, MAX_URL } from './sizes.ts';

/** Kinds of fields that requests have in common, each with its limit. */

/** Text of at most so many characters. */
export const text = (max = MAX_TEXT) => z.string().max(max, `must be at most ${max} characters.`);

/** Text that must say something. */
export const someText = (max: number) => text(max).min(1, 'must not be empty.');

/** Text for a column or an index: Postgres takes no NUL there, and a lone surrogate would not come back as it was. */
export const indexable = someText(256).refine(
  isIndexable,
  'must not hold NUL characters or lone surrogates.',
);

export function isIndexable(value: string): boolean {
  return !value.includes('\0') && value.isWellFormed();
}

/** A list of at most so many entries. */
export const list = <Entry extends z.ZodType>(entry: Entry, max: number) =>
  z.array(entry).max(max, `must hold at most ${max} entries.`);

/** True for a data URL, however long: reading all of one as an address takes most of the time of a large request. */
export function isDataUrl(value: string): boolean {
  return URL.parse(value.slice(0, 64))?.protocol === 'data:';
}

/** True for an http or https URL of a length that is let through. */
export function isWebUrl(value: string): boolean {
  return value.length <= MAX_URL && /^https?:$/.test(URL.parse(value)?.protocol ?? '');
}

const urlWhere = (isRight: (value: string) => boolean, otherwise: string) =>
  z.string().superRefine((value, context) => {
    const max = isDataUrl(value) ? MAX_DATA_URL : MAX_URL;
    const message = value.length > max ? `must be at most ${max} characters.` : otherwise;
    if (value.length > max || !isRight(value)) context.addIssue({ code: 'custom', message });
  });

export const webUrl = urlWhere(isWebUrl, 'must be an http or https URL.');
export const dataUrl = urlWhere(isDataUrl, 'must be a data URL.');
export const webOrDataUrl = urlWhere(
  (value) => isDataUrl(value) || isWebUrl(value),
  'must be an http, https or data URL.',
);

/** A value that GraphQL has let through as an object. */
export const plainObject = z.custom<{ readonly [key: string]: unknown }>(
  (value) => asObject(value) !== null,
  'must be a JSON object.',
);

/** Any value of GraphQL's, which must be an object. */
export const jsonObject = z.unknown().pipe(plainObject);

/** A JSON object that is kept and given back as it came: what could not be is refused. */
export const keptObject = jsonObject.superRefine(checkKept);
export const keptPlainObject = plainObject.superRefine(checkKept);

function checkKept(value: object, context: z.RefinementCtx): void {
  const message = wrongWithJson(value);
  if (message !== null) context.addIssue({ code: 'custom', message });
}

const TOO_LARGE = `must be at most ${MAX_JSON} characters of JSON.`;

/** Without recursion: nobody knows how deep it is nested. */
function wrongWithJson(json: object): string | null {
  let level = [json];
  let size = 0;
  for (let levels = 1; level.length > 0; levels++) {
    if (levels > MAX_JSON_LEVELS) return `must be nested at most ${MAX_JSON_LEVELS} levels deep.`;
    const below: object[] = [];
    for (const each of level) {
      size += 2 + (Array.isArray(each) ? each.length : 0);
      if (size > MAX_JSON) return TOO_LARGE;
      for (const [key, value] of Object.entries(each)) {
        size += sizeOf(value) + (Array.isArray(each) ? 0 : key.length + 4);
        if (typeof value === 'number' && !isKept(value)) {
          return 'must not hold whole numbers beyond ±9007199254740991, nor -0: they would not come back as they are.';
        }
        if (typeof value === 'object' && value !== null) below.push(value);
      }
      if (size > MAX_JSON) return TOO_LARGE;
    }
    level = below;
  }
  return null;
}

/** About its characters as JSON, but for what is in it. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  return typeof value === 'object' ? 0 : String(value).length;
}

/** False for what JSON has changed already when it was read, or would change. */
function isKept(value: number): boolean {
  return Number.isInteger(value)
    ? Number.isSafeInteger(value) && !Object.is(value, -0)
    : Number.isFinite(value);
}
