import type { Plugin } from 'graphql-yoga';

/** Whoever opens the bare address in a browser finds the playground. */
export function useFrontDoor(endpoint: string): Plugin {
  return {
    onRequest({ request, url, fetchAPI, endResponse }) {
      if (url.pathname !== '/' || request.method !== 'GET') return;
      endResponse(new fetchAPI.Response(null, { status: 302, headers: { location: endpoint } }));
    },
  };
}
