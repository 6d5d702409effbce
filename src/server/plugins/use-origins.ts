import type { Plugin } from 'graphql-yoga';
import { foreignness, type OriginRules } from '../origins.ts';

/** How long a browser may remember what it was allowed, in seconds: the longest that Chromium takes. */
const REMEMBERED = '7200';

/**
 * Pages of other sites get no answer: 403, before anything is read or run. Those of the named origins are told that
 * they may read the answers, never with credentials.
 */
export function useOrigins(rules: OriginRules): Plugin {
  const { origins } = rules;
  return {
    onRequest({ request: { headers, method }, fetchAPI, endResponse }) {
      const [origin, host] = [headers.get('origin'), headers.get('host')];
      const message = foreignness({ origin, host, fetchSite: headers.get('sec-fetch-site') }, rules);
      if (message !== null) {
        const error = { message, extensions: { code: 'FORBIDDEN' } };
        return endResponse(fetchAPI.Response.json({ errors: [error] }, { status: 403 }));
      }
      const asksFirst = method === 'OPTIONS' && headers.has('access-control-request-method');
      if (!asksFirst || origin === null || !origins.includes(origin)) return;
      const allowed = {
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': headers.get('access-control-request-headers') ?? 'content-type',
        'access-control-max-age': REMEMBERED,
        vary: 'access-control-request-headers',
      };
      endResponse(new fetchAPI.Response(null, { status: 204, headers: allowed }));
    },
    onResponse({ request, response: { headers } }) {
      if (origins.length === 0) return;
      headers.append('vary', 'origin');
      const origin = request.headers.get('origin');
      if (origin !== null && origins.includes(origin)) headers.set('access-control-allow-origin', origin);
    },
  };
}
