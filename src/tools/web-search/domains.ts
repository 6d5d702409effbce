import { cut } from './plain-text.ts';

/**
 * The host that an entry of `allowedDomains` names, in ASCII and lower case: `https://Bücher.example/` and
 * `*.bücher.example.` are both `xn--bcher-kva.example`. Null if it names none.
 */
export function toHost(domain: string): string | null {
  const bare = domain
    .trim()
    .replace(/^https?:\/\//i, '')
    .replace(/^\*?\./, '');
  const host = URL.parse(`http://${bare}`)?.hostname.replace(/\.$/, '');
  return host === undefined || host === '' ? null : host;
}

/** True if the page is on one of these hosts, or on one below them. */
export function isWithin(page: URL, hosts: readonly string[]): boolean {
  const host = page.hostname.replace(/\.$/, '');
  return hosts.some((allowed) => host === allowed || host.endsWith(`.${allowed}`));
}

/** What the strictest service takes; it refuses a longer query instead of cutting it. */
const MAX_CHARACTERS = 400;
const MAX_WORDS = 50;

/**
 * The query, followed by `site:a OR site:b` for as many hosts as fit into half of it, cut at the end of a word
 * to what search services accept.
 */
export function toQuery(query: string, hosts: readonly string[] = []): string {
  let sites = '';
  for (const host of hosts) {
    const more = sites === '' ? `site:${host}` : `${sites} OR site:${host}`;
    if (more.length > MAX_CHARACTERS / 2 || wordsOf(more).length > MAX_WORDS / 2) break;
    sites = more;
  }
  const room = sites === '' ? MAX_CHARACTERS : MAX_CHARACTERS - sites.length - 1;
  const words = wordsOf(query).slice(0, MAX_WORDS - wordsOf(sites).length);
  return `${wordsWithin(words, room)} ${sites}`.trim();
}

function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** As many words as fit; a single one that does not is cut. */
function wordsWithin([first = '', ...rest]: readonly string[], room: number): string {
  let text = cut(first, room);
  for (const word of rest) {
    if (text.length + 1 + word.length > room) break;
    text += ` ${word}`;
  }
  return text;
}
