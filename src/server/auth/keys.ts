import { timingSafeEqual } from 'node:crypto';
import { hashApiKey, looksLikeApiKey } from '../../protocol/api-keys.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { Database } from '../../store/database.ts';
import { findValidKeys, stillValid, type ValidKey } from '../../store/keys.ts';
import { AppError } from '../../util/errors.ts';
import { Gatherer } from '../../util/gatherer.ts';
import type { Logger } from '../../util/logger.ts';
import { oneAtATime } from '../../util/one-at-a-time.ts';
import { ShortMemory } from '../../util/short-memory.ts';
import type { Authenticator, AuthTimes } from './authenticator.ts';
import { bearerToken, refused } from './credentials.ts';
import { KeyUses } from './key-uses.ts';
import { LiveCallers } from './live-callers.ts';

export interface KeyAuthOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly times: AuthTimes;
}

/** Keys that are remembered, and as many that turned out to be none. */
const REMEMBERED = 10_000;

/** Keys in one query, and keys that wait for one. Whoever guesses keys costs a query at a time, not one each. */
const KEYS_PER_QUERY = 500;
const MAX_WAITING = 5000;

/** The longest that a query may take. In milliseconds. */
const QUERY_MS = 3000;

/** Known callers, by the hash of their keys. */
type Known = ShortMemory<Caller>;

/** Lets callers in by keys of this server. */
export function createKeyAuthenticator({ database, logger, times }: KeyAuthOptions): Authenticator {
  const known: Known = new ShortMemory({ size: REMEMBERED, forMs: times.cacheMs });
  const unknown = new ShortMemory<AppError>({ size: REMEMBERED, forMs: times.cacheMs });
  const live = new LiveCallers();
  const uses = new KeyUses(database, logger);
  const asked = new Map<string, Promise<Caller>>();
  const queries = new Gatherer<string, ValidKey | null>({
    work: async (hashes) => {
      const rows = await database.inTime(findValidKeys(database, hashes), QUERY_MS);
      const found = new Map(rows.map((row) => [row.hash, row]));
      return hashes.map((hash) => found.get(hash) ?? null);
    },
    atOnce: 1,
    fits: (_, others) => others.length < KEYS_PER_QUERY,
  });

  const lookUp = async (hash: string): Promise<Caller> => {
    const row = await queries.add(hash).catch((cause: unknown) => {
      logger.warn({ error: cause }, 'a key could not be looked up');
      throw new AppError('UNAVAILABLE', 'Keys cannot be looked up now. Try again.', { cause });
    });
    if (row === null || !isSame(row.hash, hash)) {
      const error = refused('This key lets nobody in: it is unknown, has expired or was revoked.');
      unknown.set(hash, error);
      throw error;
    }
    const caller: Caller = { scope: { tenant: row.tenant }, key: row.id, until: row.expiresAt };
    known.set(hash, caller);
    uses.add(row.id);
    return caller;
  };

  const recheck = oneAtATime(async () => {
    const ids = live.keys;
    if (ids.length === 0) return;
    try {
      const valid = await database.inTime(stillValid(database, ids), QUERY_MS);
      const gone = new Set(ids.filter((id) => !valid.has(id)));
      known.forget(({ key }) => gone.has(key));
      for (const id of gone) live.end(id);
    } catch (error) {
      logger.debug({ error }, 'keys could not be looked up again');
    }
  });
  const timer = setInterval(() => void recheck(), times.recheckMs).unref();

  return {
    authenticate(authorizations) {
      const token = bearerToken(authorizations);
      if (!looksLikeApiKey(token)) throw refused('This is no key of this server.');
      const hash = hashApiKey(token);
      const caller = known.get(hash);
      if (caller !== undefined && !hasEnded(caller)) {
        uses.add(caller.key);
        return caller;
      }
      const error = unknown.get(hash);
      if (error !== undefined) throw error;
      const before = asked.get(hash);
      if (before !== undefined) return before;
      if (asked.size >= MAX_WAITING)
        throw new AppError('UNAVAILABLE', 'Too many keys are being looked up. Try again.');
      const asking = lookUp(hash).finally(() => asked.delete(hash));
      asked.set(hash, asking);
      return asking;
    },
    watch: (caller, onEnd) => live.watch(caller, onEnd),
    close() {
      clearInterval(timer);
      uses.close();
    },
  };
}

function hasEnded({ until }: Caller): boolean {
  return until !== null && until.getTime() <= Date.now();
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
