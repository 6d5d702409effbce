import { once } from 'node:events';
import { WebSocket } from 'ws';
import { hashApiKey, newApiKey, newApiKeyId } from '../../src/protocol/api-keys.ts';
import { AUTH_TIMES } from '../../src/server/auth/authenticator.ts';
import { startTestApp, type TestApp, type TestAppOptions } from './test-app.ts';

/** A key of a server, and its caller's way to say so. */
export interface TestKey {
  readonly id: string;
  readonly key: string;
  readonly authorization: string;
}

export interface KeyWish {
  readonly tenant?: string;
  readonly expiresAt?: Date | null;
}

/** What is revoked is noticed soon. */
export const SOON = { ...AUTH_TIMES, cacheMs: 50, recheckMs: 50 };

/** An app that lets callers in by keys. */
export function startKeyApp({ config, ...options }: TestAppOptions = {}): Promise<TestApp> {
  return startTestApp({ timing: { auth: SOON }, ...options, config: { auth: { mode: 'keys' }, ...config } });
}

/** Makes a key, as the program does. */
export async function createKey(
  { database: { sql } }: Pick<TestApp, 'database'>,
  { tenant = 'default', expiresAt = null }: KeyWish = {},
): Promise<TestKey> {
  const key = newApiKey();
  const id = newApiKeyId();
  await sql`insert into api_keys (id, name, tenant, hash, expires_at)
    values (${id}, 'test', ${tenant}, ${hashApiKey(key)}, ${expiresAt})`;
  return { id, key, authorization: `Bearer ${key}` };
}

export async function revoke(
  { database: { sql } }: Pick<TestApp, 'database'>,
  { id }: TestKey,
): Promise<void> {
  await sql`update api_keys set revoked_at = now() where id = ${id}`;
}

/** A WebSocket that has introduced itself. */
export interface Introduced {
  /** True once the server has acknowledged it, false if it closed it before. */
  readonly isIn: boolean;
  readonly socket: WebSocket;
  /** How it was closed, once it is. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** What a client may say of itself. */
export interface Introduction {
  readonly params?: { readonly [name: string]: unknown };
  readonly headers?: { readonly [name: string]: string };
  /** Behind the address. */
  readonly search?: string;
}

/** Opens a bare WebSocket and introduces itself. */
export async function introduce(
  { url }: { readonly url: string },
  { params, headers = {}, search = '' }: Introduction = {},
): Promise<Introduced> {
  const socket = new WebSocket(url.replace('http', 'ws') + search, 'graphql-transport-ws', { headers });
  socket.on('error', () => {});
  const closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }));
  await once(socket, 'open');
  const answered = once(socket, 'message').then(() => true);
  socket.send(JSON.stringify({ type: 'connection_init', ...(params && { payload: params }) }));
  const isIn = await Promise.race([answered, closed.then(() => false)]);
  return { isIn, socket, closed };
}
