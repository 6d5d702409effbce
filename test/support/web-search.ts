import type { WebSearchTool } from '../../src/protocol/tools.ts';
import { createWebSearch, type SearchProviderOptions, type WebSearch } from '../../src/tools/web-search.ts';
import { type SearchAnswer, type SearchApi, startSearchServer } from './search-server.ts';

export const KEY = 'key-of-this-test-0123456789';

type Settings = Partial<Omit<WebSearchTool, 'type'>>;

export const toolOf = (settings: Settings = {}): WebSearchTool => ({
  type: 'web_search',
  searchContextSize: null,
  allowedDomains: [],
  userLocation: null,
  ...settings,
});

export const NOWHERE = { city: null, country: null, region: null, timezone: null };

export const optionsOf = (provider: SearchApi, baseUrl: string, apiKey = KEY): SearchProviderOptions =>
  provider === 'searxng' ? { provider, baseUrl } : { provider, baseUrl, apiKey };

export const never = new AbortController().signal;

/** One search of a server: what was sent and what came of it. */
export async function search(
  api: SearchApi,
  settings: Settings = {},
  answer?: SearchAnswer,
  query = 'rain in Oslo',
) {
  await using server = await startSearchServer();
  if (answer !== undefined) server.enqueue(answer);
  const results = await createWebSearch(optionsOf(api, server.baseUrl), fetch).search(
    { query, tool: toolOf(settings) },
    never,
  );
  return { results, sent: server.searches[0] };
}

/** What a search ends with that is answered like this; null: as the server does by itself. */
export async function failureOf(api: SearchApi, answer: SearchAnswer | null, key = KEY): Promise<unknown> {
  await using server = await startSearchServer();
  if (answer !== null) server.enqueue(answer);
  return await failure(createWebSearch(optionsOf(api, server.baseUrl, key), fetch));
}

/** What the search throws, as a value. */
export function failure(web: WebSearch, signal = never): Promise<unknown> {
  return web.search({ query: 'rain', tool: toolOf() }, signal).then(
    () => 'no failure',
    (error: unknown) => error,
  );
}

/** Where a server was, and now is none. */
export async function closedServer(): Promise<{ readonly baseUrl: string }> {
  await using server = await startSearchServer();
  return { baseUrl: server.baseUrl };
}
