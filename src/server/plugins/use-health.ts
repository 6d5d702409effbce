import type { Plugin } from 'graphql-yoga';

export interface Health {
  /** True while this process serves and its database answers. */
  readonly isReady: () => Promise<boolean>;
}

/**
 * `/health`: the process is alive. `/ready`: it can take work; 503 while it stops or its database is away. Whoever asks
 * while somebody else does gets the same answer: anybody may ask, as often as they like.
 */
export function useHealth({ isReady }: Health): Plugin {
  let asking: Promise<boolean> | null = null;
  const ask = () => {
    asking ??= isReady().finally(() => {
      asking = null;
    });
    return asking;
  };
  return {
    async onRequest({ url, fetchAPI, endResponse }) {
      if (url.pathname === '/health') endResponse(fetchAPI.Response.json({ status: 'ok' }));
      if (url.pathname !== '/ready') return;
      const ready = await ask();
      endResponse(
        fetchAPI.Response.json({ status: ready ? 'ok' : 'unavailable' }, { status: ready ? 200 : 503 }),
      );
    },
  };
}
