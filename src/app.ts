import type { Config, SearchSettings } from './config.ts';
import { startDemoModel } from './demo/demo-model.ts';
import { createEngine } from './engine/engine.ts';
import { LEASE_TIMES, type LeaseTimes } from './engine/owning/leases.ts';
import { createChatClient } from './model/chat-client.ts';
import { EVERYBODY } from './protocol/caller.ts';
import { AUTH_TIMES, type Authenticator, type AuthTimes } from './server/auth/authenticator.ts';
import { createAuthenticator } from './server/auth/create-authenticator.ts';
import { Places } from './server/auth/places.ts';
import { createSeats } from './server/auth/seats.ts';
import { createGraphQLServer, ENDPOINT } from './server/graphql-server.ts';
import { listen } from './server/http-server.ts';
import { NO_OPERATIONS, readOperations } from './server/persisted/read-operations.ts';
import { attachWebSocket } from './server/websocket.ts';
import { isReachable, migrateDatabase, openDatabase } from './store/database.ts';
import { startEmbedded } from './store/embedded.ts';
import { createPostgresWakeUps } from './store/wake-ups/postgres.ts';
import { createRedisWakeUps } from './store/wake-ups/redis.ts';
import type { WakeUps } from './store/wake-ups.ts';
import { createOutbound } from './tools/outbound.ts';
import { BRAVE_URL, createWebSearch, type SearchProviderOptions, TAVILY_URL } from './tools/web-search.ts';
import type { Logger } from './util/logger.ts';

export interface App {
  /** Where GraphQL is served. */
  readonly url: string;
  /** Stops taking work, lets runs end for a while, sends followers elsewhere, then lets go of everything. Once is enough. */
  stop(): Promise<void>;
  /** Lets runs end no longer: while it stops, or for when it will. */
  hurry(): void;
}

/** How patient the parts are, in milliseconds. Tests are less so. */
export interface Timing {
  readonly lease: LeaseTimes;
  /** How often a follower asks the log about a response that runs elsewhere. */
  readonly pollMs: number;
  /** How long runs may go on after a stop. What they cannot finish ends as FAILED, with its text kept. */
  readonly runGraceMs: number;
  /** How long answers under way may take to leave. */
  readonly answerGraceMs: number;
  /** How long a client may read nothing of what waits for it, before its connection is closed. */
  readonly stuckMs: number;
  readonly auth: AuthTimes;
  /** Stands between this process and the wake-ups of others: tests lose them on purpose. */
  readonly throughWakeUps?: (wakeUps: WakeUps) => WakeUps;
  /** Says who calls in the place of what the configuration says: tests take every caller's word for it. */
  readonly authenticator?: Authenticator;
}

const TIMING: Timing = {
  lease: LEASE_TIMES,
  pollMs: 1000,
  runGraceMs: 25_000,
  answerGraceMs: 500,
  stuckMs: 30_000,
  auth: AUTH_TIMES,
};

/**
 * Puts the parts together and starts them, the lowest first; a failure stops those that run already.
 *
 * @throws AppError START_FAILED with one line for the operator.
 */
export async function startApp(config: Config, logger: Logger, timing: Timing = TIMING): Promise<App> {
  const parts = new AsyncDisposableStack();
  try {
    const { limits, front } = config;
    const operations =
      front.persisted === null ? NO_OPERATIONS : await readOperations(front.persisted, limits.document);
    const embedded = config.databaseUrl === null ? await startEmbedded(config.dataDir) : null;
    if (embedded !== null) parts.defer(() => embedded.stop());
    const databaseUrl = embedded?.url ?? config.databaseUrl ?? '';
    await migrateDatabase(databaseUrl);
    const database = openDatabase(databaseUrl, config.auth.mode === 'none' ? EVERYBODY.scope.tenant : null);
    parts.defer(() => database.close());

    const demo = config.upstream === null ? await startDemoModel() : null;
    if (demo !== null) parts.defer(() => demo.close());
    const model = createChatClient({
      baseUrl: config.upstream?.baseUrl ?? demo?.baseUrl ?? '',
      apiKey: config.upstream?.apiKey ?? null,
      idleTimeoutMs: config.modelIdleTimeoutMs,
    });

    const outbound = createOutbound({ allowPrivate: config.allowPrivate });
    parts.defer(() => outbound.close());
    // Where searches go, the operator has said: that may well be a private address.
    const toProvider = createOutbound({ allowPrivate: true });
    parts.defer(() => toProvider.close());

    const wakeUps =
      config.redisUrl === null
        ? createPostgresWakeUps({ url: databaseUrl, logger })
        : createRedisWakeUps({ url: config.redisUrl, logger });
    parts.defer(() => wakeUps.close());
    const engine = createEngine({
      database,
      wakeUps: timing.throughWakeUps?.(wakeUps) ?? wakeUps,
      model,
      webSearch: config.webSearch && createWebSearch(toSearchOptions(config.webSearch), toProvider.fetch),
      fetch: outbound.fetch,
      allowPrivate: config.allowPrivate,
      toolTimeoutMs: config.toolTimeoutMs,
      logger,
      defaultModel: config.defaultModel,
      maxRounds: config.maxRounds,
      leaseTimes: timing.lease,
      pollMs: timing.pollMs,
      detachGraceMs: config.detachGraceMs,
      retentionMinutes: config.retentionMinutes,
      maxRuns: config.maxRuns,
      maxBackgroundRuns: config.maxBackgroundRuns,
      joinsDeltas: config.joinsDeltas,
      perCaller: config.keyLimits,
      alone: embedded !== null,
    });
    await engine.start();
    let serving = true;
    const hurry = new AbortController();
    const isReady = async () => serving && (await isReachable(database));
    const authOptions = { database, logger, times: timing.auth };
    const authenticator = timing.authenticator ?? createAuthenticator(config.auth, authOptions);
    parts.defer(() => authenticator.close());
    const { connections, subscriptions } = config.keyLimits;
    const seats = createSeats(new Places(subscriptions), authenticator);
    const graphql = createGraphQLServer({
      engine,
      logger,
      isReady,
      authenticator,
      seats,
      limits,
      front,
      operations,
    });
    const { requestTimeoutMs } = limits;
    const http = await listen(graphql, { ...config, stuckMs: timing.stuckMs, requestTimeoutMs }).catch(
      async (error: unknown) => {
        await engine.stop(0);
        throw error;
      },
    );
    const places = new Places(connections);
    const { stuckMs } = timing;
    const socketOptions = { logger, stuckMs, limits, front, operations, authenticator, places };
    const sockets = attachWebSocket(http.server, graphql, socketOptions);
    logger.info({ origin: http.origin, embedded: embedded !== null, demo: demo !== null }, 'started');

    const stop = async () => {
      serving = false;
      await engine.stop(timing.runGraceMs, hurry.signal);
      await sockets.close();
      await http.close(timing.answerGraceMs);
      await parts.disposeAsync();
    };
    let stopped: Promise<void> | undefined;
    return {
      url: `${http.origin}${ENDPOINT}`,
      hurry: () => hurry.abort(),
      stop: () => {
        stopped ??= stop();
        return stopped;
      },
    };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

function toSearchOptions(settings: SearchSettings): SearchProviderOptions {
  const { provider, baseUrl } = settings;
  if (provider === 'searxng') return settings;
  return { ...settings, provider, baseUrl: baseUrl ?? (provider === 'brave' ? BRAVE_URL : TAVILY_URL) };
}
