import { z } from 'zod';
import type { UserLocation } from '../../protocol/tools.ts';
import { toQuery } from './domains.ts';
import { fromHtml } from './plain-text.ts';
import type { FoundPage, SearchProvider } from './provider.ts';

export const BRAVE_URL = 'https://api.search.brave.com';

/** Results that the host filter may throw away are asked for as well; more than this are not given at once. */
const MOST = 20;

/** What the `country` parameter takes; anything else is refused with the whole search. */
const COUNTRIES: ReadonlySet<string> = new Set(
  'AR AU AT BE BR CA CL DK FI FR DE HK IN ID IT JP KR MY MX NL NZ NO CN PL PT PH RU SA ZA ES SE CH TW TR GB US'.split(
    ' ',
  ),
);

const Text = z.string().nullable().catch(null);
const Page = z.object({ url: z.string(), title: Text, description: Text });
/** An answer without `web` found nothing; `type` tells it from something that is no answer. */
const Answer = z.union([
  z.object({ web: z.object({ results: z.array(z.unknown()) }) }),
  z.object({ type: z.literal('search'), web: z.null().optional() }),
]);

/** Brave's Web Search API. `baseUrl` is the part before `/res/v1`. */
export function braveSearch({
  apiKey,
  baseUrl,
}: {
  readonly apiKey: string;
  readonly baseUrl: string;
}): SearchProvider {
  return {
    name: 'Brave',
    secrets: [apiKey],
    toCall({ query, limit, domains, location }) {
      const url = new URL(`${baseUrl.replace(/\/+$/, '')}/res/v1/web/search`);
      url.searchParams.set('q', toQuery(query, domains));
      url.searchParams.set('count', String(domains.length > 0 ? MOST : limit));
      url.searchParams.set('result_filter', 'web');
      url.searchParams.set('text_decorations', 'false');
      // Without one it searches as from the United States.
      const country = location?.country?.toUpperCase() ?? null;
      if (country !== null) url.searchParams.set('country', COUNTRIES.has(country) ? country : 'ALL');
      const headers = {
        accept: 'application/json',
        'x-subscription-token': apiKey,
        ...(location === null ? {} : toHeaders(location)),
      };
      return { url, init: { headers, redirect: 'manual' } }; // the key would follow a redirect anywhere
    },
    readResults(answer) {
      const parsed = Answer.safeParse(answer);
      return parsed.success ? (parsed.data.web?.results ?? []).flatMap(toPage) : null;
    },
    hint: () => null,
  };
}

function toPage(result: unknown): readonly FoundPage[] {
  const { data } = Page.safeParse(result);
  if (data === undefined) return [];
  const { url, title, description } = data;
  return [{ url, title: title && fromHtml(title), snippet: description && fromHtml(description) }];
}

function toHeaders({ city, region, country, timezone }: UserLocation): Record<string, string> {
  // A code has three characters at most; a longer one is refused with the whole search.
  const state = region !== null && region.trim().length <= 3 ? 'x-loc-state' : 'x-loc-state-name';
  const isCountry = country !== null && /^[a-z]{2}$/i.test(country);
  return {
    ...header('x-loc-city', city),
    ...header(state, region),
    ...header('x-loc-country', isCountry ? country.toUpperCase() : null),
    ...header('x-loc-timezone', timezone),
  };
}

/** Without accents, as headers are ASCII. What has no such form is left out: half a name is another place. */
function header(name: string, value: string | null): Record<string, string> {
  const plain = (value ?? '').normalize('NFKD').replace(/\p{M}/gu, '').replace(/\s+/g, ' ').trim();
  return /^[\x20-\x7e]{1,100}$/.test(plain) ? { [name]: plain } : {};
}
