/** A phrase in quotes counts as one only where the clause ends with it: in `"a" or "b"` the quotes are part of it. */
const QUOTED = /(?:"([^"\n]+)"|“([^”\n]+)”|'([^'\n]+)'|`([^`\n]+)`)(?=\s*(?:$|[.,;:!?)\n]|(?:and|then)\b))/iy;

/**
 * Where a phrase without quotes ends: with the sentence or the line, or where the next step begins. Looked for only
 * after a word, so that a long run of spaces or dots is read once and not once from each of its characters.
 */
const PHRASE_END = new RegExp(
  `(?<![.!?\\s])(?:${[
    /[.!?]+["'”’)]*(?=\s|$)/,
    /\s*$/,
    /[,;]?\s+(?:and\s+)?then\s+(?:call|search)\b/,
    /[,;]?\s+(?:and\s+)?search\s+the\s+web\s+for\b/,
    /[,;]?\s+and\s+call\s+[\w-]+\s+with\s*\{/,
  ]
    .map(({ source }) => source)
    .join('|')})`,
  'gim',
);

/** What is searched for, from `start` on, and where it ends: its own quotes, or else the end of the sentence. */
export function readPhrase(text: string, start: number): { readonly phrase: string; readonly end: number } {
  QUOTED.lastIndex = start;
  const quoted = QUOTED.exec(text);
  if (quoted !== null) {
    const [whole, ...phrases] = quoted;
    return { phrase: phrases.find((phrase) => phrase !== undefined) ?? '', end: start + whole.length };
  }
  PHRASE_END.lastIndex = start;
  const end = PHRASE_END.exec(text)?.index ?? text.length;
  return { phrase: text.slice(start, end), end };
}
