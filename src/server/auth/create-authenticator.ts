import type { Database } from '../../store/database.ts';
import type { Logger } from '../../util/logger.ts';
import { type Authenticator, type AuthTimes, letsAllIn } from './authenticator.ts';
import { createKeyAuthenticator } from './keys.ts';
import { createTokenAuthenticator, type TokenRules } from './tokens.ts';

/** How callers say who they are: they do not, by keys of this server, or by tokens of an issuer. */
export type AuthMode =
  | { readonly mode: 'none' }
  | { readonly mode: 'keys' }
  | ({ readonly mode: 'jwt' } & TokenRules);

export interface AuthOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly times: AuthTimes;
}

/** Makes what lets callers in, one for all transports. */
export function createAuthenticator(auth: AuthMode, options: AuthOptions): Authenticator {
  switch (auth.mode) {
    case 'none':
      return letsAllIn;
    case 'keys':
      return createKeyAuthenticator(options);
    case 'jwt':
      return createTokenAuthenticator({ ...options, ...auth });
    default:
      return auth satisfies never;
  }
}
