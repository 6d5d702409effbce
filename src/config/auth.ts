import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { AppError } from '../util/errors.ts';
import { count, oneOf, url } from './kinds.ts';

/** Keys of the environment that say who may call, and how much at once. */
export const authKeys = {
  AUTH: oneOf(['none', 'keys', 'jwt']).default('none'),
  JWT_JWKS_URL: url.optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_TENANT_CLAIM: z.string().default('tenant'),
  MAX_CONNECTIONS_PER_KEY: count(0).optional(),
  MAX_SUBSCRIPTIONS_PER_KEY: count(0).optional(),
  MAX_RUNS_PER_KEY: count(0).optional(),
  MAX_RUNS_PER_MINUTE: count(0).optional(),
};

/** How callers say who they are. */
export type AuthSettings =
  /** They do not. */
  | { readonly mode: 'none' }
  /** By keys that this server gave out. */
  | { readonly mode: 'keys' }
  /** By tokens that somebody else signed. */
  | ({ readonly mode: 'jwt' } & TokenSettings);

/** Whose tokens are good, and for whom. */
export interface TokenSettings {
  /** Where the issuer's public keys are (a JSON Web Key Set). */
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
  /** The claim that names the tenant. */
  readonly tenantClaim: string;
}

/** What one caller may have in one process. Infinity: no limit. */
export interface KeyLimits {
  /** WebSockets at once. */
  readonly connections: number;
  /** Subscriptions at once, over whatever transport. */
  readonly subscriptions: number;
  /** Runs at once that are waited for or followed. */
  readonly runs: number;
  /** Runs started in a minute. */
  readonly runsPerMinute: number;
}

type AuthEnvironment = z.output<z.ZodObject<typeof authKeys>>;

/** @throws AppError START_FAILED with one line, when anybody could call from elsewhere, or a key that AUTH needs is missing. */
export function toAuthSettings(env: AuthEnvironment, host: string): AuthSettings {
  switch (env.AUTH) {
    case 'none':
      if (!isLoopback(host)) throw new AppError('START_FAILED', openToAll(host));
      return { mode: 'none' };
    case 'keys':
      return { mode: 'keys' };
    case 'jwt':
      return {
        mode: 'jwt',
        jwksUrl: needed(env, 'JWT_JWKS_URL'),
        issuer: needed(env, 'JWT_ISSUER'),
        audience: needed(env, 'JWT_AUDIENCE'),
        tenantClaim: env.JWT_TENANT_CLAIM,
      };
    default:
      return env.AUTH satisfies never;
  }
}

/** What `env` allows one caller; where callers are not told apart, nothing is limited by default. */
export function toKeyLimits(env: AuthEnvironment): KeyLimits {
  const limit = (given: number | undefined, usual: number) => {
    const number = given ?? (env.AUTH === 'none' ? 0 : usual);
    return number === 0 ? Number.POSITIVE_INFINITY : number;
  };
  return {
    connections: limit(env.MAX_CONNECTIONS_PER_KEY, 1000),
    subscriptions: limit(env.MAX_SUBSCRIPTIONS_PER_KEY, 2000),
    runs: limit(env.MAX_RUNS_PER_KEY, 256),
    runsPerMinute: limit(env.MAX_RUNS_PER_MINUTE, 600),
  };
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** True for an address that only this machine reaches. */
function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0
    ? host.toLowerCase() === 'localhost'
    : LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

const openToAll = (host: string) =>
  `HOST=${host} needs AUTH=keys or AUTH=jwt, as others could use your model from there: set AUTH=keys and make a key with "npm run keys -- create --name me", or leave HOST at 127.0.0.1.`;

function needed(env: AuthEnvironment, key: 'JWT_JWKS_URL' | 'JWT_ISSUER' | 'JWT_AUDIENCE'): string {
  const value = env[key];
  if (value === undefined) throw new AppError('START_FAILED', `AUTH=jwt needs ${key}: it is not set.`);
  return value;
}
