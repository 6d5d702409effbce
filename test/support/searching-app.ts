import type { Config } from '../../src/config.ts';
import { type SearchServer, startSearchServer } from './search-server.ts';
import { startTestApp, type TestApp } from './test-app.ts';

/** An app that can search the web, and the service that it asks. */
export interface SearchingApp extends TestApp {
  readonly search: SearchServer;
}

export async function startSearchingApp(config: Partial<Config> = {}): Promise<SearchingApp> {
  const search = await startSearchServer();
  const webSearch = { provider: 'searxng', baseUrl: search.baseUrl } as const;
  const app = await startTestApp({ config: { webSearch, ...config } });
  return {
    ...app,
    search,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await search[Symbol.asyncDispose]();
    },
  };
}
