import { type DatabaseProxy, startDatabaseProxy } from './database-proxy.ts';
import { startTestApp, type TestApp, type TestAppOptions } from './test-app.ts';

/** An app whose way to its database the test can cut. */
export interface AppBehindProxy extends AsyncDisposable {
  /** Its `database` goes straight to Postgres. */
  readonly app: TestApp;
  readonly proxy: DatabaseProxy;
}

/** With `beside`, it shares the database and the upstream of that app, and has a proxy of its own. */
export async function startBehindProxy({
  timing,
  config,
  beside,
}: TestAppOptions = {}): Promise<AppBehindProxy> {
  const direct = beside ?? (await startTestApp());
  const proxy = await startDatabaseProxy(direct.database.url);
  const through = { databaseUrl: proxy.url, modelIdleTimeoutMs: 60_000, ...config };
  const app = await startTestApp({ beside: direct, config: through, timing });
  return {
    app,
    proxy,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      if (beside === undefined) await direct[Symbol.asyncDispose]();
    },
  };
}
