import type { Caller } from '../../protocol/caller.ts';
import { AppError } from '../../util/errors.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Places } from '../auth/places.ts';
import type { Extra } from './operations.ts';

/** Who decides which sockets may be used, and by whom. */
export interface Door {
  readonly authenticator: Authenticator;
  /** The sockets that each caller may have. */
  readonly places: Places;
}

/** A close that tells clients of graphql-ws to come again. */
const TRY_AGAIN = 1013;

/** One that tells them not to: what they sent will be refused again. */
const UNAUTHORIZED = 4401;

/**
 * Decides, when a client introduces itself, whose socket it is from then on, until it closes or the right of its
 * caller ends. A socket that is refused is closed.
 */
export async function admit(
  { authenticator, places }: Door,
  extra: Extra,
  parameters: { readonly [name: string]: unknown } = {},
): Promise<boolean> {
  const { authorization, Authorization } = parameters;
  let caller: Caller;
  try {
    const found = authenticator.authenticate([authorization, Authorization, ...extra.authorizations]);
    caller = found instanceof Promise ? await found : found;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'UNAVAILABLE') extra.sendAway(TRY_AGAIN, 'Try again later');
    else extra.sendAway(UNAUTHORIZED, 'Unauthorized');
    return false;
  }
  if (extra.isGone) return false;
  const giveBack = places.take(caller.key);
  if (giveBack === null) {
    extra.sendAway(TRY_AGAIN, 'Too many connections');
    return false;
  }
  const unwatch = authenticator.watch(caller, () => extra.sendAway(UNAUTHORIZED, 'Unauthorized'));
  extra.release = () => {
    giveBack();
    unwatch();
  };
  extra.caller = caller;
  return true;
}
