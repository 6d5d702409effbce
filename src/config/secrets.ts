import type { Config } from '../config.ts';
import { secretsOfUrl } from '../util/secrets.ts';

/** Every secret that a configuration holds: keys as they are, and what is secret in addresses. */
export function secretsOf({ upstream, webSearch, databaseUrl, redisUrl, auth }: Config): readonly string[] {
  const keys = [upstream?.apiKey, webSearch !== null && 'apiKey' in webSearch ? webSearch.apiKey : null];
  const jwks = auth.mode === 'jwt' ? auth.jwksUrl : null;
  const addresses = [upstream?.baseUrl, webSearch?.baseUrl, databaseUrl, redisUrl, jwks];
  return [
    ...keys.filter((key) => typeof key === 'string'),
    ...addresses.flatMap((address) => (typeof address === 'string' ? secretsOfUrl(address) : [])),
  ];
}
