import type { ServerResponse } from 'node:http';

const HEADERS = new Map([
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ['cache-control', 'no-store'],
]);

/** What every answer says to browsers, unless it says something else itself. */
export function setSecurityHeaders(answer: ServerResponse): void {
  answer.setHeaders(HEADERS);
}
