import { type App, startApp, type Timing } from '../../src/app.ts';
import type { KeyLimits } from '../../src/config/auth.ts';
import type { FrontSettings } from '../../src/config/browser.ts';
import type { DocumentLimits, Limits } from '../../src/config/limits.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { AUTH_TIMES } from '../../src/server/auth/authenticator.ts';
import { createLogger } from '../../src/util/logger.ts';
import { type ChatServer, startChatServer } from './chat-server.ts';
import { SUITE_CANARY, watchForCanary } from './suite-canary.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** The whole server on a free port, with a database of its own and an upstream that answers as it is told. */
export interface TestApp extends AsyncDisposable {
  readonly url: string;
  readonly upstream: ChatServer;
  readonly database: TestDatabase;
  readonly app: App;
}

export interface TestAppOptions {
  readonly config?: Partial<Omit<Config, 'limits' | 'front'>>;
  readonly limits?: Partial<Omit<Limits, 'document'>>;
  readonly documents?: Partial<DocumentLimits>;
  readonly front?: Partial<FrontSettings>;
  readonly timing?: Partial<Timing>;
  /** A database and an upstream shared with another app. */
  readonly beside?: TestApp;
}

const DEFAULTS = readConfig({});

const TIMING: Timing = {
  lease: { leaseMs: 10_000, renewMs: 3_000, sweepMs: 5_000 },
  pollMs: 50,
  runGraceMs: 0,
  answerGraceMs: 0,
  stuckMs: 30_000,
  auth: AUTH_TIMES,
};

const { POSITIVE_INFINITY: unlimited } = Number;
export const NO_LIMITS: KeyLimits = {
  connections: unlimited,
  subscriptions: unlimited,
  runs: unlimited,
  runsPerMinute: unlimited,
};

/** What several apps may stand on. */
export type Ground = Pick<TestApp, 'upstream' | 'database'>;

export async function startTestApp({
  config,
  limits,
  documents,
  front,
  timing,
  beside,
}: Omit<TestAppOptions, 'beside'> & { readonly beside?: Ground } = {}): Promise<TestApp> {
  const upstream = beside?.upstream ?? (await startChatServer());
  const database = beside?.database ?? (await createTestDatabase());
  const whole: Config = {
    host: '127.0.0.1',
    port: 0,
    databaseUrl: database.url,
    dataDir: '.data',
    upstream: { baseUrl: upstream.baseUrl, apiKey: SUITE_CANARY },
    defaultModel: 'test-model',
    modelIdleTimeoutMs: 5000,
    maxRounds: 10,
    toolTimeoutMs: 5000,
    webSearch: null,
    allowPrivate: true,
    redisUrl: null,
    detachGraceMs: 30_000,
    retentionMinutes: 60,
    maxRuns: 4096,
    maxBackgroundRuns: 64,
    joinsDeltas: true,
    logLevel: 'silent',
    limits: { ...DEFAULTS.limits, ...limits, document: { ...DEFAULTS.limits.document, ...documents } },
    front: { ...DEFAULTS.front, ...front },
    auth: { mode: 'none' },
    keyLimits: NO_LIMITS,
    ...config,
  };
  const watch = watchForCanary();
  const shown = process.env['TEST_LOG_LEVEL'] ?? (whole.logLevel === 'silent' ? undefined : whole.logLevel);
  const logger = shown === undefined ? createLogger('trace', watch.log) : createLogger(shown);
  const app = await startApp(whole, logger, { ...TIMING, ...timing });
  watch.listenTo(Number(new URL(app.url).port));
  return {
    url: app.url,
    upstream,
    database,
    app,
    async [Symbol.asyncDispose]() {
      await app.stop();
      if (beside === undefined) await watch.searchDatabase(database.sql);
      watch.end();
      if (beside !== undefined) return;
      await upstream[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
