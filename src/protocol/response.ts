import type { ResponseId } from './ids.ts';
import type { Item } from './items.ts';
import type { ResponseSettings } from './request.ts';
import type { Usage } from './usage.ts';

/** `queued`: a background response that no process runs yet. */
export type ResponseStatus = 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';

/** How a run ended. The first of these that is committed is final. */
export type TerminalStatus = Exclude<ResponseStatus, 'queued' | 'in_progress'>;

export type IncompleteReason = 'max_output_tokens' | 'content_filter' | 'max_rounds';

/** Codes of the Responses vocabulary. */
export type ResponseErrorCode =
  | 'server_error'
  | 'rate_limit_exceeded'
  | 'invalid_prompt'
  | 'context_length_exceeded';

export interface ResponseError {
  readonly code: ResponseErrorCode;
  readonly message: string;
}

/** What a response is from its creation on. Times are milliseconds since 1970. */
export interface ResponseBase {
  readonly id: ResponseId;
  readonly createdAt: number;
  readonly previousResponseId: ResponseId | null;
  readonly settings: ResponseSettings;
}

/** What a run changes: the fold of its events. */
export interface ResponseState {
  readonly status: ResponseStatus;
  readonly completedAt: number | null;
  readonly output: readonly Item[];
  readonly usage: Usage | null;
  readonly error: ResponseError | null;
  readonly incompleteReason: IncompleteReason | null;
}

/** A response as of one event of its log. `sequenceNumber` is that event's. */
export interface Snapshot {
  readonly base: ResponseBase;
  readonly state: ResponseState;
  readonly sequenceNumber: number;
}

/** Before the first event. */
export const INITIAL_STATE: ResponseState = {
  status: 'in_progress',
  completedAt: null,
  output: [],
  usage: null,
  error: null,
  incompleteReason: null,
};

export function hasEnded(status: ResponseStatus): status is TerminalStatus {
  return status !== 'queued' && status !== 'in_progress';
}
