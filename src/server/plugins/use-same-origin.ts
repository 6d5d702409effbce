import type { Plugin } from 'graphql-yoga';
import { isSameOrigin } from '../same-origin.ts';

/** Pages of other sites get no answer: 403, before anything is read or run. */
export function useSameOrigin(): Plugin {
  return {
    onRequest({ request, fetchAPI, endResponse }) {
      const { headers } = request;
      const [origin, host] = [headers.get('origin'), headers.get('host')];
      if (isSameOrigin({ origin, host, fetchSite: headers.get('sec-fetch-site') })) return;
      const message = 'Requests from pages of another origin are not answered.';
      const error = { message, extensions: { code: 'FORBIDDEN' } };
      endResponse(fetchAPI.Response.json({ errors: [error] }, { status: 403 }));
    },
  };
}
