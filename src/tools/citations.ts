import type { Annotation } from '../protocol/content.ts';
import type { WebSearchSource } from '../protocol/items.ts';

/**
 * The URL of a source that is longer counts by its `[n]` only: a text of such URLs, each almost that of a source, would
 * have to be read as many times as they are long.
 */
const MAX_URL = 500;

/** A spelling of a source's URL that counts as naming it. */
interface Form {
  readonly text: string;
  readonly source: WebSearchSource;
}

/**
 * The places of a text that name a source, by its URL or as `[n]`, where number n is `sources[n - 1]`. They are in
 * order and never overlap; indexes count UTF-16 code units, and the slice is the URL or the `[n]`, no more.
 *
 * A URL counts only if it is of a usual length, and as a whole: not as the beginning of a longer one, nor inside of one. With or without a slash at
 * its end it is the same; of several sources with one URL the first is named. `[1][2]` are two citations; `[1, 2]`
 * is none, as no part of it is the marker of one source.
 */
export function findCitations(text: string, sources: readonly WebSearchSource[]): readonly Annotation[] {
  const citations: Annotation[] = [];
  const forms = toForms(sources);
  // One pass: after each find it goes on behind it, so a text of any shape is read once.
  const candidate = /\[([1-9]\d{0,5})\]|https?:\/\//gi;
  for (let found = candidate.exec(text); found !== null; found = candidate.exec(text)) {
    const { 0: match, 1: number, index } = found;
    if (number !== undefined) {
      const source = sources[Number(number) - 1];
      if (source !== undefined) citations.push(toAnnotation(source, index, index + match.length));
      continue;
    }
    const form = formAt(text, index, forms);
    const end = form === null ? endOfUrl(text, index + match.length) : index + form.text.length;
    if (form !== null) citations.push(toAnnotation(form.source, index, end));
    candidate.lastIndex = end;
  }
  return citations;
}

function toAnnotation({ url, title }: WebSearchSource, startIndex: number, endIndex: number): Annotation {
  return { type: 'url_citation', url, title, startIndex, endIndex };
}

/** In the order of their code units, each text once. */
function toForms(sources: readonly WebSearchSource[]): readonly Form[] {
  const forms = new Map<string, Form>();
  const add = (text: string, source: WebSearchSource) => {
    if (!forms.has(text)) forms.set(text, { text, source });
  };
  const urls = sources.filter(({ url }) => url.length <= MAX_URL && /^https?:\/\/[^/]/i.test(url));
  for (const source of urls) add(source.url, source);
  // After all exact ones, which come first: two sources may differ by a slash only.
  for (const source of urls) {
    const { url } = source;
    if (!/[?#]/.test(url)) add(url.endsWith('/') ? url.slice(0, -1) : `${url}/`, source);
  }
  return [...forms.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
}

/**
 * The longest form that stands here as a whole. It narrows down the sorted forms letter by letter, as comparing each
 * of them with the text would take as many times as long.
 */
function formAt(text: string, index: number, forms: readonly Form[]): Form | null {
  if (/[a-z0-9+]/i.test(text.charAt(index - 1))) return null; // the end of another word, or of a scheme
  let longest: Form | null = null;
  let low = 0;
  let end = forms.length;
  for (let depth = 0; low < end; depth++) {
    // The forms from low up to end are those that begin with the text up to here; one that ends here is the first.
    const shortest = forms[low];
    if (shortest?.text.length === depth) {
      if (endsAt(text, index + depth)) longest = shortest;
      low += 1;
    }
    const unit = text.charCodeAt(index + depth);
    if (unitAt(forms[low], depth) === unit && unitAt(forms[end - 1], depth) === unit) continue;
    low = firstFrom(unit, { forms, low, end, depth });
    end = firstFrom(unit + 1, { forms, low, end, depth });
  }
  return longest;
}

interface Range {
  readonly forms: readonly Form[];
  readonly low: number;
  readonly end: number;
  readonly depth: number;
}

/** The index of the first form in a range whose unit at `depth` is `unit` or more; the range's end if none is. */
function firstFrom(unit: number, { forms, low, end, depth }: Range): number {
  let from = low;
  let to = end;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (unitAt(forms[middle], depth) >= unit) to = middle;
    else from = middle + 1;
  }
  return from;
}

function unitAt(form: Form | undefined, depth: number): number {
  return form === undefined ? Number.NaN : form.text.charCodeAt(depth);
}

/** Marks that belong to the sentence, unless more of a URL comes behind them. */
const TRAILING = /[.,;:!?_~]*/y;
/** What a URL goes on with. Brackets, quotes, emphasis and everything that is no ASCII but a letter end it. */
const MORE_OF_A_URL = /[\w\-/?#&=%+@$~(\p{L}\p{N}\p{M}]/uy;
const ANOTHER_URL = /https?:\/\//iy;

/** True if a URL can be over here: what follows is not more of it. */
function endsAt(text: string, end: number): boolean {
  const next = matchAt(TRAILING, text, end) ?? end;
  const isListed = next > end && /[,;]/.test(text.charAt(next - 1)); // a list without spaces
  if (isListed && matchAt(ANOTHER_URL, text, next) !== null) return true;
  return matchAt(MORE_OF_A_URL, text, next) === null;
}

const REST_OF_URL = /[^\s<>"'`{}|\\^()[\],;\u2010-\u203f\u3000-\u303f\uff00-\uffef]*/y;

/** The end of a URL that is no source: what it contains is part of it. */
function endOfUrl(text: string, from: number): number {
  return matchAt(REST_OF_URL, text, from) ?? from;
}

/** Where a match of a sticky expression that begins at `from` ends; null if there is none. */
function matchAt(pattern: RegExp, text: string, from: number): number | null {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : null;
}
