import { createHash } from 'node:crypto';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Caller } from '../../protocol/caller.ts';
import { isTenant } from '../../protocol/scope.ts';
import { AppError } from '../../util/errors.ts';
import type { Logger } from '../../util/logger.ts';
import { ShortMemory } from '../../util/short-memory.ts';
import type { Authenticator, AuthTimes } from './authenticator.ts';
import { bearerToken, refused } from './credentials.ts';
import { LiveCallers } from './live-callers.ts';

/** Whose tokens are good, and for whom. */
export interface TokenRules {
  /** Where the issuer's public keys are. */
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
  readonly tenantClaim: string;
}

export interface TokenAuthOptions extends TokenRules {
  readonly times: AuthTimes;
  readonly logger: Logger;
}

/** By a key that everybody knows, nobody can sign: no symmetric ones, and not `none`. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Clocks may differ by so much. In seconds. */
const TOLERANCE_S = 10;

/** Tokens that are remembered. */
const REMEMBERED = 10_000;

/** How long a key of the issuer is good that it has withdrawn. In milliseconds. */
const KEYS_MS = 5 * 60_000;

/** The issuer must answer within so many milliseconds. */
const ISSUER_MS = 4000;

/** Lets callers in by tokens of an issuer. */
export function createTokenAuthenticator(options: TokenAuthOptions): Authenticator {
  const { issuer, audience, tenantClaim, times, logger } = options;
  const issuersKeys = createRemoteJWKSet(new URL(options.jwksUrl), {
    cooldownDuration: times.jwksCooldownMs,
    timeoutDuration: ISSUER_MS,
    cacheMaxAge: KEYS_MS,
  });
  const known = new ShortMemory<Caller>({ size: REMEMBERED, forMs: times.cacheMs });
  const live = new LiveCallers();

  const verify = async (token: string, hash: string): Promise<Caller> => {
    const rules = {
      algorithms: ALGORITHMS,
      issuer,
      audience,
      clockTolerance: TOLERANCE_S,
      requiredClaims: ['exp'],
    };
    const { payload } = await jwtVerify(token, issuersKeys, rules).catch((error: unknown) => {
      throw toRefusal(error, logger);
    });
    const caller = toCaller(payload, tenantClaim);
    known.set(hash, caller);
    return caller;
  };

  return {
    authenticate(authorizations) {
      const token = bearerToken(authorizations);
      const hash = createHash('sha256').update(token).digest('base64');
      const caller = known.get(hash);
      const hasEnded = caller?.until != null && caller.until.getTime() <= Date.now();
      return caller === undefined || hasEnded ? verify(token, hash) : caller;
    },
    watch: (caller, onEnd) => live.watch(caller, onEnd),
    close: () => {},
  };
}

function toCaller(payload: JWTPayload, tenantClaim: string): Caller {
  const { [tenantClaim]: tenant, iss, sub, exp = 0 } = payload;
  if (!isTenant(tenant)) throw refused(`The token's claim "${tenantClaim}" names no tenant.`);
  return {
    scope: { tenant },
    key: JSON.stringify(typeof sub === 'string' ? [iss, 'sub', sub] : [iss, 'tenant', tenant]),
    until: new Date((exp + TOLERANCE_S) * 1000),
  };
}

function toRefusal(error: unknown, logger: Logger): AppError {
  if (error instanceof errors.JWTExpired) return refused('The token has expired.', error);
  if (error instanceof errors.JWTClaimValidationFailed)
    return refused(`The token's claim "${error.claim}" is not what it must be.`, error);
  if (isOfToken(error)) return refused('The token is not good.', error);
  logger.warn({ error }, 'the keys of the issuer of tokens could not be had');
  return new AppError('UNAVAILABLE', 'Tokens cannot be checked now. Try again.', { cause: error });
}

/** True if the token is to blame, and not the issuer or the way to it. */
function isOfToken(error: unknown): boolean {
  return [
    errors.JWTInvalid,
    errors.JWSInvalid,
    errors.JWSSignatureVerificationFailed,
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
    errors.JWKSNoMatchingKey,
    errors.JWKSMultipleMatchingKeys,
  ].some((kind) => error instanceof kind);
}
