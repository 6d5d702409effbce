import type { Scope } from './scope.ts';

/** Who calls, the same over every transport. */
export interface Caller {
  readonly scope: Scope;
  /** What limits count by: the id of a key, or issuer and subject of a token. */
  readonly key: string;
  /** When its right to call ends; null: not at any known time. */
  readonly until: Date | null;
}

/** Everybody, where nobody says who they are. */
export const EVERYBODY: Caller = { scope: { tenant: 'default' }, key: 'everybody', until: null };
