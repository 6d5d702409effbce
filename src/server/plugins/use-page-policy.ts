import type { Plugin } from 'graphql-yoga';
import { playgroundPolicy } from '../playground.ts';

/** The playground runs its own scripts and no others, and speaks with this server only. */
export function usePagePolicy(): Plugin {
  return {
    async onResponse({ response: { headers } }) {
      if (headers.get('content-type')?.startsWith('text/html'))
        headers.set('content-security-policy', await playgroundPolicy());
    },
  };
}
