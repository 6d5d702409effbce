/** The head of a result: `[n] title`, and on the next line its URL. */
const RESULT = /(?:^|\n[ \t]*\n)\[(\d+)\][ \t]*(.*)\n(https?:\/\/\S+)/g;

/** What a web search found, each title with the number that cites it; undefined for a text of another shape. */
export function citeSources(output: string): string | undefined {
  const sources = output
    .matchAll(RESULT)
    .map(([, number, title, url]) => `${title?.trim() || url} [${number}]`)
    .toArray();
  return sources.length === 0 ? undefined : `web_search found:\n${sources.join('\n')}`;
}
