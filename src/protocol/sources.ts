import type { Item, WebSearchSource } from './items.ts';

/** Stands where no source has the number. Nothing in a text is equal to it. */
const NO_SOURCE: WebSearchSource = { url: '', title: null };

/**
 * The sources that the model has been told in a conversation, by their number: [n] is the one at n - 1. Searches
 * that run at once are numbered as they end, so this is not the order of their items.
 */
export function sourcesOf(items: readonly Item[]): readonly WebSearchSource[] {
  const sources: WebSearchSource[] = [];
  for (const item of items) {
    if (item.type !== 'web_search_call') continue;
    item.sources.forEach((source, index) => {
      const place = item.firstNumber - 1 + index;
      while (sources.length < place) sources.push(NO_SOURCE);
      sources[place] = source;
    });
  }
  return sources;
}
