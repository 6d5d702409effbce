import { readPhrase } from './read-phrase.ts';

/** The function under which a web search is offered. */
export const WEB_SEARCH = 'web_search';

/** A function call, its arguments as JSON text. */
export interface Call {
  readonly name: string;
  readonly arguments: string;
}

/** What a message says after "call" or "search the web for". */
export type Wish =
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'broken'; readonly name: string }
  | { readonly kind: 'no_search' };

/** A wish and the stretch of text that says it. */
interface Found {
  readonly wish: Wish;
  readonly start: number;
  readonly end: number;
}

const WISH =
  /\bcall\s+[`"']?(?<name>[\w-]+)[`"']?(?<saysWith>\s+with\b[\s:`]*)?|\bsearch\s+the\s+web\s+for\s+(?=[^\s.!?])/gi;
const CLAUSE_END = /\s*(?:$|[.,;:!?)\n]|(?:and|then)\b)/iy;
const THEN = /\bthen\b/i;

/**
 * The calls a message asks for, in order: `call NAME`, `call NAME with {…}` and `search the web for PHRASE`. Those
 * of one step are made at once; the word "then" between two of them begins a step that waits for the outputs of the
 * former. A name that is not offered counts only where nothing but `with` or the end of the clause follows it, so
 * that "call me Ishmael" asks for no call.
 */
export function readSteps(text: string, offered: readonly string[]): readonly (readonly Wish[])[] {
  const steps: Wish[][] = [];
  let end = 0;
  for (const found of wishesIn(text, offered)) {
    const step = THEN.test(text.slice(end, found.start)) ? undefined : steps.at(-1);
    if (step === undefined) steps.push([found.wish]);
    else step.push(found.wish);
    end = found.end;
  }
  return steps;
}

/** Ends at a call whose arguments are no JSON: nobody can tell where they end. */
function* wishesIn(text: string, offered: readonly string[]): Generator<Found> {
  let position = 0;
  for (;;) {
    WISH.lastIndex = position;
    const match = WISH.exec(text);
    if (match === null) return;
    const start = match.index;
    const { name, saysWith } = match.groups ?? {};
    position = start + match[0].length;

    if (name === undefined) {
      const { phrase, end } = readPhrase(text, position);
      position = end;
      const call = { name: WEB_SEARCH, arguments: JSON.stringify({ query: phrase }) };
      yield {
        wish: offered.includes(WEB_SEARCH) ? { kind: 'call', call } : { kind: 'no_search' },
        start,
        end,
      };
      continue;
    }
    CLAUSE_END.lastIndex = position;
    const isOffered = offered.includes(name);
    if (!isOffered && saysWith === undefined && !CLAUSE_END.test(text)) continue;

    const end = saysWith === undefined ? position : endOfObject(text, position);
    const json = saysWith === undefined ? '{}' : text.slice(position, end);
    position = end;
    if (!isOffered) {
      yield { wish: { kind: 'unknown', name }, start, end };
    } else if (isJson(json)) {
      yield { wish: { kind: 'call', call: { name, arguments: json } }, start, end };
    } else {
      return yield { wish: { kind: 'broken', name }, start, end };
    }
  }
}

/** Where the `{…}` that begins at `start` ends: after its own closing brace. `start` when there is none. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{') depth += 1;
    else if (character === '}') depth -= 1;
    if (depth === 0) return character === '}' ? index + 1 : start;
  }
  return start;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
