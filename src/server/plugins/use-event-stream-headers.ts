import type { Plugin } from 'graphql-yoga';

/** Event streams pass through proxies as they come: unbuffered, uncached, unchanged. */
export function useEventStreamHeaders(): Plugin {
  return {
    onResponse({ response }) {
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return;
      response.headers.set('x-accel-buffering', 'no');
      response.headers.set('cache-control', 'no-cache, no-transform');
    },
  };
}
