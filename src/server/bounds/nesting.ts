/** Far more than any document needs. GraphQL's parser and rules go as deep as a document does, and break at some thousands. */
const MAX_NESTING = 200;

/** What opens and closes, and what may hide some of that: strings, strings of lines, comments. */
const TOKEN = /"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n\r]|\\.)*"|#[^\n\r]*|[{[(]|[}\])]/gs;

/** What is wrong with a document that is nested too deeply; null if it is not. */
export function checkNesting(source: string): string | null {
  let depth = 0;
  for (const [token] of source.matchAll(TOKEN)) {
    if (token.length > 1) continue;
    if ('{[('.includes(token)) depth++;
    else if ('}])'.includes(token)) depth--;
    if (depth > MAX_NESTING) return `The document is nested more than ${MAX_NESTING} levels deep.`;
  }
  return null;
}
