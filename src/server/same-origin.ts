/** The headers in which a browser says whose page sends a request. */
export interface OriginHeaders {
  readonly origin: string | null | undefined;
  readonly host: string | null | undefined;
  /** https://www.w3.org/TR/fetch-metadata/: right also behind a proxy that sets another Host. */
  readonly fetchSite: string | null | undefined;
}

/**
 * True unless a browser says that another site's page sent this request. Programs send no Origin. Without this
 * check any page that someone opens could use a server on their own machine: browsers let pages open WebSockets
 * and post forms anywhere.
 */
export function isSameOrigin({ origin, host, fetchSite }: OriginHeaders): boolean {
  if (origin === null || origin === undefined || fetchSite === 'same-origin') return true;
  return URL.parse(origin)?.host === host;
}
