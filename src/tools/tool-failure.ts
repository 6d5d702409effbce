import type { ToolError, ToolErrorType } from '../protocol/items.ts';

/** Why a listing, a call or a search failed. The message is one sentence that is safe to show: it holds no secret. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';
  readonly type: ToolErrorType;
  /** An HTTP status or a JSON-RPC code, where the failure has one. */
  readonly code: number | null;

  constructor(
    type: ToolErrorType,
    message: string,
    { code = null, cause }: { readonly code?: number | null; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.type = type;
    this.code = code;
  }
}

/** The failure as an item keeps it. */
export function toToolError({ type, code, message }: ToolFailure): ToolError {
  return { type, code, message };
}
