import type { ResponseBase } from '../protocol/response.ts';
import type { Idempotency } from './request/idempotency.ts';
import type { Run } from './run/run.ts';

/**
 * Whether the model is asked while the response is still being committed, which takes as long as its server needs to
 * answer. Only where nothing but a failure can keep it from being committed: with a key it might be one that somebody else
 * is asking for, and what it continues may be deleted meanwhile. MCP servers are never asked before.
 */
export function asksAhead(
  { settings, previousResponseId }: ResponseBase,
  idempotency: Idempotency | null,
): boolean {
  const { store, background, tools } = settings;
  const isSure = idempotency === null && previousResponseId === null;
  return isSure && store && !background && !tools.some(({ type }) => type === 'mcp');
}

/** A run that has begun before its beginning is committed. Left unconfirmed it is lost. */
export class Ahead implements Disposable {
  readonly run: Run;
  private isConfirmed = false;

  constructor(run: Run) {
    this.run = run;
  }

  confirm(): void {
    this.isConfirmed = true;
    this.run.confirm();
  }

  [Symbol.dispose](): void {
    if (!this.isConfirmed) this.run.lose();
  }
}
