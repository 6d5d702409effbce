import { unescape as decode } from 'node:querystring';
import { z } from 'zod';
import { toQuery } from './domains.ts';
import type { FoundPage, SearchProvider } from './provider.ts';

const Text = z.string().nullable().catch(null);
const Page = z.object({ url: z.string(), title: Text, content: Text });
const Answer = z.object({ results: z.array(z.unknown()) });

/** What is shorter may be a word of everybody. */
const MIN_SECRET = 4;

/**
 * A SearXNG instance. `baseUrl` may have a path, and a name with a password for an instance behind a login. It takes
 * no number of results and no place.
 */
export function searxngSearch({ baseUrl }: { readonly baseUrl: string }): SearchProvider {
  const base = new URL(baseUrl);
  const username = decode(base.username);
  const password = decode(base.password);
  const login = Buffer.from(`${username}:${password}`).toString('base64');
  const hasLogin = base.username !== '' || base.password !== '';
  const headers: Record<string, string> = hasLogin ? { authorization: `Basic ${login}` } : {};
  const others = [username, `${username}:${password}`, ...base.searchParams.values()].filter(
    ({ length }) => length >= MIN_SECRET,
  );
  return {
    name: 'SearXNG',
    secrets: hasLogin ? [password, login, ...others] : others,
    toCall({ query, domains }) {
      const url = new URL(base);
      url.username = '';
      url.password = '';
      url.pathname = `${base.pathname.replace(/\/+$/, '')}/search`;
      url.searchParams.set('q', toQuery(query, domains));
      url.searchParams.set('format', 'json');
      return { url, init: { headers } }; // no `accept`: its bot detection wants one that allows HTML
    },
    readResults(answer) {
      const parsed = Answer.safeParse(answer);
      return parsed.success ? parsed.data.results.flatMap(toPage) : null;
    },
    hint: (status) =>
      status === 403 ? 'its JSON format is probably not enabled (search.formats in its settings.yml)' : null,
  };
}

function toPage(result: unknown): readonly FoundPage[] {
  const { data } = Page.safeParse(result);
  return data === undefined ? [] : [{ url: data.url, title: data.title, snippet: data.content }];
}
