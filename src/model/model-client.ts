import type { Annotation, TokenLogprob } from '../protocol/content.ts';
import type { Item } from '../protocol/items.ts';
import type { ModelInfo } from '../protocol/model-info.ts';
import type { ResponseSettings } from '../protocol/request.ts';
import type { ResponseErrorCode } from '../protocol/response.ts';
import type { OfferedChoice, OfferedTool } from '../protocol/tools.ts';
import type { Usage } from '../protocol/usage.ts';

/** Anything that can turn a conversation into a stream of parts. */
export interface ModelClient {
  /**
   * One model call. Calls `take` with what has arrived, a batch for each read and with no step between; the last batch
   * ends with a `finish` part. While what `take` gives is pending, no more is read.
   *
   * @throws ModelError when the upstream refuses, fails, falls silent or sends what nobody can read. What was
   *   taken before stands. The reason of `signal` when that is aborted; what `take` throws, which ends the call.
   */
  stream(request: ModelRequest, take: TakeParts, signal: AbortSignal): Promise<void>;

  /**
   * The models that the upstream offers.
   *
   * @throws ModelError when it does not answer.
   */
  listModels(signal: AbortSignal): Promise<readonly ModelInfo[]>;
}

/** Takes what has arrived; gives a promise if it has no room for more until that resolves. It never rejects. */
export type TakeParts = (parts: readonly ModelPart[]) => Promise<void> | null;

export interface ModelRequest {
  readonly settings: ResponseSettings;
  /** The conversation so far, oldest first, without the instructions. */
  readonly context: readonly Item[];
  /** The tools that this call offers, whoever runs them. */
  readonly tools: readonly OfferedTool[];
  readonly toolChoice: OfferedChoice;
  /** Tokens that this call may write; null for no limit. */
  readonly maxOutputTokens: number | null;
}

export type ModelPart =
  | { readonly type: 'text'; readonly text: string; readonly logprobs: readonly TokenLogprob[] | null }
  | { readonly type: 'annotation'; readonly annotation: Annotation }
  | { readonly type: 'refusal'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string; readonly encrypted: string | null }
  /** A tool call begins. `call` counts the calls of this stream from 0; `callId` is null if the upstream gave none. */
  | { readonly type: 'call'; readonly call: number; readonly callId: string | null; readonly name: string }
  | { readonly type: 'arguments'; readonly call: number; readonly delta: string }
  | { readonly type: 'usage'; readonly usage: Usage }
  | { readonly type: 'finish'; readonly reason: FinishReason };

export type FinishReason = 'stop' | 'length' | 'content_filter';

/** Why a model call failed, in the vocabulary of `Response.error`. The message is safe to show. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: ResponseErrorCode;

  constructor(code: ResponseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
