import type { Plugin } from 'graphql-yoga';
import { playgroundPolicy } from '../playground.ts';

/** The playground runs its own scripts and no others, and speaks with this server only. */
export function usePagePolicy(): Plugin {
  return {
    onResponse({ response: { headers } }) {
      if (!headers.get('content-type')?.startsWith('text/html')) return undefined;
      return playgroundPolicy().then((policy) => headers.set('content-security-policy', policy));
    },
  };
}
