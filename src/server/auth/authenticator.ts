import { type Caller, EVERYBODY } from '../../protocol/caller.ts';

/** Says who calls, the same for every transport. */
export interface Authenticator {
  /**
   * Who calls, by every `Authorization` that was sent. At once if that is known.
   *
   * @throws AppError UNAUTHENTICATED, or UNAVAILABLE when nobody can say now.
   */
  authenticate(authorizations: readonly unknown[]): Caller | Promise<Caller>;
  /**
   * Calls `onEnd` once, when the right of a caller ends while it is connected.
   *
   * @returns a function that ends the watch.
   */
  watch(caller: Caller, onEnd: () => void): () => void;
  /** Ends what it does by itself. */
  close(): void;
}

/** How patient it is, in milliseconds. */
export interface AuthTimes {
  /** How long a caller that was let in is let in without being looked up again. */
  readonly cacheMs: number;
  /** How often those are looked up again who are connected. With `cacheMs` it must stay below ten seconds. */
  readonly recheckMs: number;
  /** How long no new keys of an issuer of tokens are fetched after the last ones. */
  readonly jwksCooldownMs: number;
}

export const AUTH_TIMES: AuthTimes = { cacheMs: 4000, recheckMs: 4000, jwksCooldownMs: 30_000 };

/** Lets everybody in. */
export const letsAllIn: Authenticator = {
  authenticate: () => EVERYBODY,
  watch: () => () => {},
  close: () => {},
};
