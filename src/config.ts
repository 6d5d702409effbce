import { z } from 'zod';
import { type AuthSettings, authKeys, type KeyLimits, toAuthSettings, toKeyLimits } from './config/auth.ts';
import { browserKeys, type FrontSettings, toFrontSettings } from './config/browser.ts';
import { boolean, count, milliseconds, oneOf, port, postgresUrl, redisUrl, url } from './config/kinds.ts';
import { type Limits, limitKeys, toLimits } from './config/limits.ts';
import { AppError } from './util/errors.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Every key of the environment that is read, with its default. The README's table says what each means. */
const Environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(4000),
  DATABASE_URL: postgresUrl.optional(),
  DATA_DIR: z.string().default('.data'),
  OPENAI_BASE_URL: url.optional(),
  OPENAI_API_KEY: z.string().optional(),
  DEFAULT_MODEL: z.string().optional(),
  MODEL_IDLE_TIMEOUT_MS: milliseconds(1).default(120_000),
  MAX_ROUNDS: count(1).default(10),
  TOOL_TIMEOUT_MS: milliseconds(1).default(60_000),
  BRAVE_API_KEY: z.string().optional(),
  TAVILY_API_KEY: z.string().optional(),
  SEARXNG_URL: url.optional(),
  MCP_ALLOW_PRIVATE: boolean.default(false),
  REDIS_URL: redisUrl.optional(),
  DETACH_GRACE_MS: milliseconds(1000).default(30_000),
  EVENT_RETENTION_MINUTES: count(0).default(60),
  MAX_RUNS: count(1).default(4096),
  MAX_BACKGROUND_RUNS: count(1).default(64),
  DELTA_JOINING: oneOf(['adaptive', 'off']).default('adaptive'),
  LOG_LEVEL: oneOf(LOG_LEVELS).default('info'),
  ...limitKeys,
  ...browserKeys,
  ...authKeys,
});

export interface Config {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Null: the built-in Postgres in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  /** Null: the demo model. */
  readonly upstream: Upstream | null;
  /** The model of requests that name none. */
  readonly defaultModel: string | null;
  readonly modelIdleTimeoutMs: number;
  readonly maxRounds: number;
  readonly toolTimeoutMs: number;
  /** Null: there is no web search. */
  readonly webSearch: SearchSettings | null;
  /** True: MCP servers and images may be at loopback and private addresses. */
  readonly allowPrivate: boolean;
  /** Null: instances wake each other through Postgres. */
  readonly redisUrl: string | null;
  readonly detachGraceMs: number;
  readonly retentionMinutes: number;
  readonly maxRuns: number;
  readonly maxBackgroundRuns: number;
  /** True: deltas are joined while this process has more to do than it gets done. */
  readonly joinsDeltas: boolean;
  readonly logLevel: string;
  readonly limits: Limits;
  readonly front: FrontSettings;
  readonly auth: AuthSettings;
  readonly keyLimits: KeyLimits;
}

/** Where the rows are. */
export type StoreConfig = Pick<Config, 'databaseUrl' | 'dataDir'>;

/** The provider of web searches. Without a `baseUrl` it is the provider's public one. */
export type SearchSettings =
  | {
      readonly provider: 'brave' | 'tavily';
      readonly apiKey: string;
      readonly baseUrl: string | null;
    }
  | { readonly provider: 'searxng'; readonly baseUrl: string };

export interface Upstream {
  readonly baseUrl: string;
  readonly apiKey: string | null;
}

const OPENAI = 'https://api.openai.com/v1';

/**
 * Reads the environment. An empty value counts as none.
 *
 * @throws AppError START_FAILED with one line that names the key, the value and what is allowed.
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const env = check(Environment, environment);
  const { OPENAI_BASE_URL, OPENAI_API_KEY } = env;
  const isDemo = OPENAI_BASE_URL === undefined && OPENAI_API_KEY === undefined;
  return Object.freeze({
    host: env.HOST,
    port: env.PORT,
    ...toStoreConfig(env),
    upstream: isDemo ? null : { baseUrl: OPENAI_BASE_URL ?? OPENAI, apiKey: OPENAI_API_KEY ?? null },
    defaultModel: env.DEFAULT_MODEL ?? (isDemo ? 'demo' : null),
    modelIdleTimeoutMs: env.MODEL_IDLE_TIMEOUT_MS,
    maxRounds: env.MAX_ROUNDS,
    toolTimeoutMs: env.TOOL_TIMEOUT_MS,
    webSearch: toSearchSettings(env),
    allowPrivate: env.MCP_ALLOW_PRIVATE,
    redisUrl: env.REDIS_URL ?? null,
    detachGraceMs: env.DETACH_GRACE_MS,
    retentionMinutes: env.EVENT_RETENTION_MINUTES,
    maxRuns: env.MAX_RUNS,
    maxBackgroundRuns: env.MAX_BACKGROUND_RUNS,
    joinsDeltas: env.DELTA_JOINING === 'adaptive',
    logLevel: env.LOG_LEVEL,
    limits: toLimits(env),
    front: toFrontSettings(env, env.AUTH === 'none'),
    auth: toAuthSettings(env, env.HOST),
    keyLimits: toKeyLimits(env),
  });
}

/** Reads only where the rows are. Throws as `readConfig` does. */
export function readStoreConfig(environment: NodeJS.ProcessEnv): StoreConfig {
  return toStoreConfig(check(Environment.pick({ DATABASE_URL: true, DATA_DIR: true }), environment));
}

function toStoreConfig(env: {
  readonly DATABASE_URL?: string | undefined;
  readonly DATA_DIR: string;
}): StoreConfig {
  return { databaseUrl: env.DATABASE_URL ?? null, dataDir: env.DATA_DIR };
}

/** What a schema makes of the environment. */
function check<Output>(schema: z.ZodType<Output>, environment: NodeJS.ProcessEnv): Output {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const key = String(issue?.path[0] ?? '');
  const value = /API_KEY|URL/.test(key) ? 'that value' : JSON.stringify(environment[key]); // may hold a password
  throw new AppError('START_FAILED', `${key} cannot be ${value}: it must be ${issue?.message}.`);
}

/** The first of the providers that is configured. */
function toSearchSettings(env: z.output<typeof Environment>): SearchSettings | null {
  if (env.BRAVE_API_KEY !== undefined) return { provider: 'brave', apiKey: env.BRAVE_API_KEY, baseUrl: null };
  if (env.TAVILY_API_KEY !== undefined)
    return { provider: 'tavily', apiKey: env.TAVILY_API_KEY, baseUrl: null };
  return env.SEARXNG_URL === undefined ? null : { provider: 'searxng', baseUrl: env.SEARXNG_URL };
}
