import type { TerminalType } from '../../protocol/events.ts';
import type { IncompleteReason, ResponseError } from '../../protocol/response.ts';

/** How a run ends. */
export type Outcome =
  | { readonly status: 'completed' }
  | { readonly status: 'incomplete'; readonly reason: IncompleteReason }
  | { readonly status: 'failed'; readonly error: ResponseError }
  | { readonly status: 'cancelled' };

/**
 * Why a run is stopped from outside.
 * - `cancelled`: nobody wants it any more
 * - `shutdown`: this process stops, and nobody can go on with it
 * - `lost`: it belongs to another process now, or will: here it ends without a word
 */
export type StopReason = 'cancelled' | 'shutdown' | 'lost';

export const TERMINAL_TYPES: { readonly [Status in Outcome['status']]: TerminalType } = {
  completed: 'response.completed',
  incomplete: 'response.incomplete',
  failed: 'response.failed',
  cancelled: 'response.cancelled',
};
