/** The headers in which a browser says whose page sends a request, and to whom. */
export interface BrowserHeaders {
  readonly origin: string | null | undefined;
  readonly host: string | null | undefined;
  /** https://www.w3.org/TR/fetch-metadata/: right also behind a proxy that sets another Host. */
  readonly fetchSite: string | null | undefined;
}

export interface OriginRules {
  /** Whose pages may use this server, beside its own. */
  readonly origins: readonly string[];
  /** True: only names of this machine are answered. */
  readonly isLocal: boolean;
}

/**
 * Why this request gets no answer; null if it does. Programs send none of these headers but Host. Without this check
 * any page that someone opens could use a server on their own machine: browsers let pages open WebSockets, post forms
 * and load images anywhere, and a page can make its own host name lead to 127.0.0.1.
 */
export function foreignness({ origin, host, fetchSite }: BrowserHeaders, rules: OriginRules): string | null {
  const { origins, isLocal } = rules;
  if (isLocal && host && !isLocalName(host) && !origins.some((each) => URL.parse(each)?.host === host))
    return `This server is asked as "${host}", which is no name of this machine. If it is behind a proxy, add that address to CORS_ORIGINS.`;
  if (!origin) {
    // Images, forms and links of a page carry no Origin when they only read.
    return fetchSite === 'cross-site' || fetchSite === 'same-site' ? FOREIGN : null;
  }
  if (fetchSite === 'same-origin' || URL.parse(origin)?.host === host) return null;
  return origins.includes(origin) ? null : FOREIGN;
}

const FOREIGN = 'Requests from pages of another origin are not answered, unless CORS_ORIGINS names it.';

function isLocalName(host: string): boolean {
  const name = URL.parse(`http://${host}`)?.hostname ?? '';
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(name);
}
