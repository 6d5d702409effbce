import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import type { TokenSettings } from '../../src/config/auth.ts';

/** Signs tokens and shows the public keys for them. */
export interface Issuer extends AsyncDisposable {
  readonly settings: TokenSettings;
  /** How often its keys were asked for. */
  readonly asked: number;
  /** The public key that is in use, as it is shown. */
  readonly publicKey: JWK;
  /** A good token, but for what is said here; undefined leaves a claim out. */
  token(claims?: Claims): Promise<string>;
  /** Signs with a new key from now on, and shows that one only. */
  rotate(): Promise<void>;
  /** Answers 500 to whoever asks for its keys, or as it should. */
  setBroken(isBroken: boolean): void;
}

export interface Claims {
  readonly tenant?: unknown;
  readonly sub?: string;
  readonly iss?: string;
  readonly aud?: string;
  /** From now on, in seconds; null: the token does not expire. */
  readonly expiresIn?: number | null;
  /** As `expiresIn`: from when on it is good. */
  readonly notBefore?: number;
}

const ALGORITHM = 'ES256';

export async function startIssuer(): Promise<Issuer> {
  let asked = 0;
  let isBroken = false;
  let generation = 0;
  const make = async () => {
    const { publicKey, privateKey } = await generateKeyPair(ALGORITHM);
    const kid = `key-${++generation}`;
    const shown: JWK = { ...(await exportJWK(publicKey)), kid, alg: ALGORITHM, use: 'sig' };
    return { privateKey, kid, shown };
  };
  let current: { readonly privateKey: CryptoKey; readonly kid: string; readonly shown: JWK } = await make();
  const server = createServer((_, answer) => {
    asked++;
    answer.writeHead(isBroken ? 500 : 200, { 'content-type': 'application/json' });
    answer.end(JSON.stringify({ keys: [current.shown] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const settings = {
    jwksUrl: `http://127.0.0.1:${port}/jwks.json`,
    issuer: 'https://issuer.example/',
    audience: 'responses',
    tenantClaim: 'tenant',
  };
  return {
    settings,
    get asked() {
      return asked;
    },
    get publicKey() {
      return current.shown;
    },
    token({ expiresIn = 600, notBefore, ...claims } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const payload: JWTPayload = {
        iss: settings.issuer,
        aud: settings.audience,
        sub: 'ada',
        tenant: 'owls',
        ...claims,
        ...(expiresIn !== null && { exp: now + expiresIn }),
        ...(notBefore !== undefined && { nbf: now + notBefore }),
      };
      return new SignJWT(payload)
        .setProtectedHeader({ alg: ALGORITHM, kid: current.kid })
        .sign(current.privateKey);
    },
    async rotate() {
      current = await make();
    },
    setBroken(value) {
      isBroken = value;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
