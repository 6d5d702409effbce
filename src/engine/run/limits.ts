import { type Item, sizeOfContent, type ToolErrorType } from '../../protocol/items.ts';
import type { ResponseSettings } from '../../protocol/request.ts';
import type { IncompleteReason } from '../../protocol/response.ts';
import type { Usage } from '../../protocol/usage.ts';
import { ToolFailure } from '../../tools/tool-failure.ts';
import { hasStarted } from './resume-point.ts';

export interface Progress {
  /** Rounds that are over. */
  readonly rounds: number;
  /** Tokens so far, as reported; null if the upstream reports none. */
  readonly usage: Usage | null;
}

/** A reason to make no further model call, or null. */
export type StopRule = (progress: Progress) => IncompleteReason | null;

export const maxRounds =
  (limit: number): StopRule =>
  ({ rounds }) =>
    rounds >= limit ? 'max_rounds' : null;

export const maxOutputTokens =
  (settings: ResponseSettings): StopRule =>
  (progress) =>
    tokensLeft(settings, progress) === 0 ? 'max_output_tokens' : null;

/** What is left of the run's budget; null for no limit. An upstream that reports no usage gets the whole each time. */
export function tokensLeft({ maxOutputTokens: limit }: ResponseSettings, { usage }: Progress): number | null {
  return limit === null ? null : Math.max(0, limit - (usage?.outputTokens ?? 0));
}

/** What one run may keep of what its tools give, listings included. In characters. */
const MAX_KEPT = 16 * 1024 * 1024;

/** Counts the calls of server-run tools in one run, and how much of what they give it keeps. */
export class ToolBudget {
  private used = 0;
  private kept = 0;
  private readonly limit: number;

  /** `output`: what another process has made of this run before. */
  constructor({ maxToolCalls }: ResponseSettings, output: readonly Item[]) {
    this.limit = maxToolCalls ?? Number.POSITIVE_INFINITY;
    this.used = output.filter(hasTaken).length;
    this.kept = output.reduce((sum, item) => sum + keptOf(item), 0);
  }

  get isSpent(): boolean {
    return this.used >= this.limit;
  }

  /** Counts one more call; false if there may be none. */
  take(): boolean {
    if (this.isSpent) return false;
    this.used++;
    return true;
  }

  /** Counts what is to be kept. All of it goes into the log and to the model, more than once. */
  keep(characters: number): void {
    if (this.kept + characters > MAX_KEPT) {
      throw new ToolFailure(
        'limit',
        'The result was dropped: the tools of this response have given too much.',
      );
    }
    this.kept += characters;
  }
}

/** True for a call that the budget was asked for, though it may have come to nothing. */
function hasTaken(item: Item): boolean {
  if (item.type !== 'mcp_call' && item.type !== 'web_search_call') return false;
  return hasStarted(item) || (item.error !== null && !NOT_ATTEMPTED.has(item.error.type));
}

/** Of a call that has not started: there was no attempt at one. */
const NOT_ATTEMPTED: ReadonlySet<ToolErrorType> = new Set(['invalid_arguments', 'limit', 'interrupted']);

function keptOf(item: Item): number {
  if (item.type === 'mcp_call') return sizeOfContent(item.content);
  return item.type === 'mcp_list_tools' ? JSON.stringify(item.tools).length : 0;
}
