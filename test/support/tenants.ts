import { EVERYBODY } from '../../src/protocol/caller.ts';
import { type Authenticator, letsAllIn } from '../../src/server/auth/authenticator.ts';
import type { Target } from './graphql.ts';
import { startTestApp, type TestApp, type TestAppOptions } from './test-app.ts';

const TENANT = /^Bearer tenant-(.+)$/;

/** Takes every caller's word for who it is. */
const authenticator: Authenticator = {
  ...letsAllIn,
  authenticate(authorizations) {
    const tenant = TENANT.exec(authorizations.map((each) => each ?? '').join(''))?.[1];
    if (tenant === undefined) throw new Error('Every caller here has a tenant.');
    return { ...EVERYBODY, scope: { tenant } };
  },
};

/** A server for callers of several tenants. */
export function startTenantsApp({ timing, config, ...options }: TestAppOptions = {}): Promise<TestApp> {
  const patient = { modelIdleTimeoutMs: 300_000, detachGraceMs: 300_000 }; // runs in flight stay so meanwhile
  return startTestApp({
    ...options,
    config: { ...patient, ...config },
    timing: { ...timing, authenticator },
  });
}

/** Somebody of this tenant who uses the server. */
export function callerOf({ url }: { readonly url: string }, tenant: string): Target {
  return { url, authorization: `Bearer tenant-${tenant}` };
}
