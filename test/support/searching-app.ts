import { type SearchServer, startSearchServer } from './search-server.ts';
import { SEARCH_CANARY } from './suite-canary.ts';
import { startTestApp, type TestApp, type TestAppOptions } from './test-app.ts';

/** An app that can search the web, and the service that it asks. */
export interface SearchingApp extends TestApp {
  readonly search: SearchServer;
}

export async function startSearchingApp(
  config: TestAppOptions['config'] = {},
  provider: 'brave' | 'tavily' | 'searxng' = 'searxng',
  documents: TestAppOptions['documents'] = {},
): Promise<SearchingApp> {
  const search = await startSearchServer();
  const { baseUrl } = search;
  const webSearch =
    provider === 'searxng' ? { provider, baseUrl } : { provider, apiKey: SEARCH_CANARY, baseUrl };
  const app = await startTestApp({ config: { webSearch, ...config }, documents });
  return {
    ...app,
    search,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await search[Symbol.asyncDispose]();
    },
  };
}
