import type { JsonObject, OfferedTool, SearchContextSize } from '../protocol/tools.ts';
import { ToolFailure } from './tool-failure.ts';
import { ask } from './web-search/ask.ts';
import { braveSearch } from './web-search/brave.ts';
import { isWithin, toHost } from './web-search/domains.ts';
import { toLine } from './web-search/plain-text.ts';
import type { Fetch, FoundPage, SearchProvider, SearchRequest, SearchResult } from './web-search/provider.ts';
import { searxngSearch } from './web-search/searxng.ts';
import { tavilySearch } from './web-search/tavily.ts';

export { BRAVE_URL } from './web-search/brave.ts';
export type { Fetch, SearchRequest, SearchResult } from './web-search/provider.ts';
export { TAVILY_URL } from './web-search/tavily.ts';

/** Something that can search the web. */
export interface WebSearch {
  /**
   * The results, the best first: 3, 5 or 10 at most, by `searchContextSize`. Only of `allowedDomains`, and each URL
   * once.
   *
   * @throws ToolFailure `http` or `protocol`, and what its `fetch` throws. After an abort: the signal's reason.
   */
  search(request: SearchRequest, signal: AbortSignal): Promise<readonly SearchResult[]>;
}

export type SearchProviderOptions =
  | { readonly provider: 'brave'; readonly apiKey: string; readonly baseUrl: string }
  | { readonly provider: 'tavily'; readonly apiKey: string; readonly baseUrl: string }
  | { readonly provider: 'searxng'; readonly baseUrl: string };

/** The search as the model is shown it. */
export const WEB_SEARCH_TOOL: OfferedTool = {
  name: 'web_search',
  description:
    'Searches the web and gives numbered results: title, URL and an excerpt. Use it for what is recent, or what ' +
    'you are not sure of. In your answer cite sources as [n], with the number of the result, right after what ' +
    'they support; several as [1][2].',
  parameters: {
    type: 'object',
    properties: {
      query: { type: 'string', description: 'What to search for: a few words, as for a search engine.' },
    },
    required: ['query'],
    additionalProperties: false,
  },
  strict: null,
};

const RESULTS: { readonly [size in SearchContextSize]: number } = { low: 3, medium: 5, high: 10 };
const MAX_SNIPPET = 1000;
const MAX_TITLE = 300;
/** A longer one would not be repeated faithfully, and takes the place of several results. */
const MAX_URL = 2048;

/** A search by this service. `fetch` decides what may be reached; it gets the key in a header. */
export function createWebSearch(options: SearchProviderOptions, fetch: Fetch): WebSearch {
  const provider = toProvider(options);
  return {
    async search({ query, tool }, signal) {
      const domains = tool.allowedDomains.flatMap((domain) => toHost(domain) ?? []);
      // Domains that are none allow nothing; without this they would allow everything.
      if (tool.allowedDomains.length > 0 && domains.length === 0) return [];
      const limit = RESULTS[tool.searchContextSize ?? 'medium'];
      const question = { query: query.toWellFormed(), limit, domains, location: tool.userLocation };
      const answer = await ask({ provider, call: provider.toCall(question), fetch }, signal);
      const pages = provider.readResults(answer);
      if (pages === null) {
        throw new ToolFailure('protocol', `The answer of ${provider.name} has no list of results.`);
      }
      return toResults(pages, domains).slice(0, limit);
    },
  };
}

/** The query in the arguments that the model wrote, trimmed; null if there is none. */
export function queryOf({ query }: JsonObject): string | null {
  return typeof query === 'string' && query.trim() !== '' ? query.trim() : null;
}

/**
 * What the model is told: a block of `[n] title`, URL and snippet for each result, counted from `firstNumber`, or a
 * sentence that there are none.
 */
export function toSearchOutput(results: readonly SearchResult[], firstNumber: number): string {
  if (results.length === 0) return 'The search found nothing. Other words may find more.';
  return results
    .map(({ title, url, snippet }, index) =>
      [`[${firstNumber + index}] ${title ?? 'Untitled'}`, url, snippet].join('\n').trimEnd(),
    )
    .join('\n\n');
}

function toProvider(options: SearchProviderOptions): SearchProvider {
  switch (options.provider) {
    case 'brave':
      return braveSearch(options);
    case 'tavily':
      return tavilySearch(options);
    case 'searxng':
      return searxngSearch(options);
    default:
      return options satisfies never;
  }
}

function toResults(pages: readonly FoundPage[], domains: readonly string[]): readonly SearchResult[] {
  const results = new Map<string, SearchResult>();
  for (const page of pages) {
    const parsed = URL.parse(page.url);
    if (parsed === null || !/^https?:$/.test(parsed.protocol) || results.has(parsed.href)) continue;
    if (domains.length > 0 && !isWithin(parsed, domains)) continue;
    // As the service wrote it, unless that could break out of its line of the output.
    const url = /[\s\p{Cc}]/u.test(page.url) ? parsed.href : page.url;
    if (url.length > MAX_URL) continue;
    const title = toLine(page.title ?? '', MAX_TITLE);
    const snippet = toLine(page.snippet ?? '', MAX_SNIPPET);
    results.set(parsed.href, { url, title: title === '' ? null : title, snippet });
  }
  return [...results.values()];
}
