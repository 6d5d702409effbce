import { ToolFailure } from '../tool-failure.ts';

/** One request of the chain that redirects make of a fetch. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  /** A stream can be sent once only. */
  readonly body: Uint8Array | ReadableStream<Uint8Array> | null;
}

/** What a redirect answered. */
export interface Redirect {
  readonly status: number;
  readonly location: string;
}

const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
// Describe the body, and go with it.
const BODY_HEADERS = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
];
// Any other header may be a secret that was meant for the first origin only: `x-api-key` is as good as `authorization`.
const HARMLESS_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'content-type',
  'last-event-id',
  // Given out by the server that redirects, or by the one it redirects to; without it there is no session with that.
  'mcp-protocol-version',
  'mcp-session-id',
  'user-agent',
]);

/** The redirect that an answer is, or null: it is an answer to use. */
export function redirectOf(status: number, location: string | null): Redirect | null {
  return location !== null && REDIRECT_STATUSES.has(status) ? { status, location } : null;
}

/**
 * What to send next, by the rules of the fetch standard; across origins only harmless headers go along. Whether
 * the new address may be reached is not asked here.
 *
 * @throws ToolFailure `protocol` for a target that is no URL or a body that cannot be sent again, `blocked` for a
 * step from https down to http
 */
export function nextHop({ url, method, headers, body }: Hop, { status, location }: Redirect): Hop {
  const target = URL.parse(location, url);
  if (target === null) throw new ToolFailure('protocol', `"${url.host}" redirected to what is no URL.`);
  if (url.protocol === 'https:' && target.protocol === 'http:') {
    throw new ToolFailure('blocked', `"${url.host}" redirected from https to http, which is not followed.`);
  }
  const kept = new Headers(headers);
  if (target.origin !== url.origin) removeAllBut(HARMLESS_HEADERS, kept);
  if (becomesGet(status, method)) {
    for (const name of BODY_HEADERS) kept.delete(name);
    return { url: target, method: 'GET', headers: kept, body: null };
  }
  if (body !== null && !(body instanceof Uint8Array)) {
    throw new ToolFailure('protocol', `"${url.host}" redirected a request whose body cannot be sent twice.`);
  }
  return { url: target, method, headers: kept, body };
}

function becomesGet(status: number, method: string): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD';
  return (status === 301 || status === 302) && method === 'POST';
}

function removeAllBut(names: ReadonlySet<string>, headers: Headers): void {
  for (const name of [...headers.keys()]) if (!names.has(name)) headers.delete(name);
}
