import { z } from 'zod';
import { toQuery } from './domains.ts';
import type { FoundPage, SearchProvider } from './provider.ts';
import { toTavilyCountry } from './tavily-country.ts';

export const TAVILY_URL = 'https://api.tavily.com';

/** Results that the host filter may throw away are asked for as well; more than this are not given at once. */
const MOST = 20;
const MAX_DOMAINS = 300;

const Text = z.string().nullable().catch(null);
const Page = z.object({ url: z.string(), title: Text, content: Text });
const Answer = z.object({ results: z.array(z.unknown()) });

/** Tavily's search. `baseUrl` is the part before `/search`. */
export function tavilySearch({
  apiKey,
  baseUrl,
}: {
  readonly apiKey: string;
  readonly baseUrl: string;
}): SearchProvider {
  return {
    name: 'Tavily',
    secrets: [apiKey],
    toCall({ query, limit, domains, location }) {
      const country = location?.country ? toTavilyCountry(location.country) : null;
      const body = {
        query: toQuery(query),
        max_results: domains.length > 0 ? MOST : limit,
        ...(domains.length > 0 && { include_domains: domains.slice(0, MAX_DOMAINS) }),
        ...(country !== null && { country }),
      };
      return {
        url: new URL(`${baseUrl.replace(/\/+$/, '')}/search`),
        init: {
          method: 'POST',
          headers: {
            accept: 'application/json',
            authorization: `Bearer ${apiKey}`,
            'content-type': 'application/json',
          },
          body: JSON.stringify(body),
          redirect: 'manual', // the key is for this address only
        },
      };
    },
    readResults(answer) {
      const parsed = Answer.safeParse(answer);
      return parsed.success ? parsed.data.results.flatMap(toPage) : null;
    },
    hint: () => null,
  };
}

function toPage(result: unknown): readonly FoundPage[] {
  const { data } = Page.safeParse(result);
  return data === undefined ? [] : [{ url: data.url, title: data.title, snippet: data.content }];
}
