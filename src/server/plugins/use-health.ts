import type { Plugin } from 'graphql-yoga';

export interface Health {
  /** True while this process serves and its database answers. */
  readonly isReady: () => Promise<boolean>;
}

/** `/health`: the process is alive. `/ready`: it can take work; 503 while it stops or its database is away. */
export function useHealth({ isReady }: Health): Plugin {
  return {
    async onRequest({ url, fetchAPI, endResponse }) {
      if (url.pathname === '/health') endResponse(fetchAPI.Response.json({ status: 'ok' }));
      if (url.pathname !== '/ready') return;
      const ready = await isReady();
      endResponse(
        fetchAPI.Response.json({ status: ready ? 'ok' : 'unavailable' }, { status: ready ? 200 : 503 }),
      );
    },
  };
}
