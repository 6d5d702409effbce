/** A function call, its arguments as JSON text. */
export interface Call {
  readonly name: string;
  readonly arguments: string;
}

/** What a message says after the word "call". */
export type Wish =
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'broken'; readonly name: string };

const CALL = /\bcall\s+[`"']?([\w-]+)[`"']?(\s+with\b[\s:`]*)?/gi;
const CLAUSE_END = /\s*(?:$|[.,;:!?)\n]|(?:and|then)\b)/iy;

/**
 * The calls a message asks for, in order: `call NAME` and `call NAME with {…}`. Reading ends at the first one
 * that cannot be made. A name that is not offered counts only where nothing but `with` or the end of the clause
 * follows it, so that "call me Ishmael" asks for no call.
 */
export function readCalls(text: string, offered: readonly string[]): readonly Wish[] {
  const wishes: Wish[] = [];
  let position = 0;
  for (;;) {
    CALL.lastIndex = position;
    const match = CALL.exec(text);
    if (match === null) return wishes;
    const [matched, name = '', saysWith] = match;
    position = match.index + matched.length;

    if (!offered.includes(name)) {
      CLAUSE_END.lastIndex = position;
      if (saysWith === undefined && !CLAUSE_END.test(text)) continue;
      return [...wishes, { kind: 'unknown', name }];
    }
    if (saysWith === undefined) {
      wishes.push({ kind: 'call', call: { name, arguments: '{}' } });
      continue;
    }
    const end = endOfObject(text, position);
    const json = text.slice(position, end);
    if (!isJson(json)) return [...wishes, { kind: 'broken', name }];
    wishes.push({ kind: 'call', call: { name, arguments: json } });
    position = end;
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
