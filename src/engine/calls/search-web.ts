import type { WebSearchCallItem } from '../../protocol/items.ts';
import { sourcesOf } from '../../protocol/sources.ts';
import type { WebSearchTool } from '../../protocol/tools.ts';
import { ToolFailure, toToolError } from '../../tools/tool-failure.ts';
import { toSearchOutput } from '../../tools/web-search.ts';
import { itemAt, type Place } from '../run/event-target.ts';
import type { Run } from '../run/run.ts';
import type { ToolContext } from './tool-context.ts';

export interface Search {
  readonly tool: WebSearchTool;
  readonly query: string;
  /** The arguments as the model wrote them. */
  readonly json: string;
}

/**
 * Makes one search, whose item is open. A failure is told as the end of the item.
 *
 * @throws the reason of the run's signal when it is stopped.
 */
export async function searchWeb(
  { run, webSearch, timeoutMs }: ToolContext,
  place: Place,
  { tool, query, json }: Search,
): Promise<void> {
  let timeout: AbortSignal | null = null;
  try {
    run.signal.throwIfAborted(); // it may have waited for others
    if (webSearch === null) throw new ToolFailure('blocked', 'No web search is configured.');
    const mark = { arguments: json, query, usage: run.usedTokens };
    run.emit({ type: 'response.web_search_call.searching', ...place, ...mark });
    await run.commit();
    timeout = AbortSignal.timeout(timeoutMs);
    const results = await webSearch.search({ query, tool }, AbortSignal.any([run.signal, timeout]));
    run.signal.throwIfAborted();
    // Numbered on from what the conversation has seen, so that each [n] in a text names one source.
    const firstNumber = sourcesOf([...run.context, ...run.state.output]).length + 1;
    const sources = results.map(({ url, title }) => ({ url, title }));
    const output = toSearchOutput(results, firstNumber);
    end(run, place, { status: 'completed', sources, firstNumber, output });
  } catch (error) {
    run.signal.throwIfAborted();
    const failure = timeout?.aborted && error === timeout.reason ? tookTooLong(timeoutMs) : error;
    if (!(failure instanceof ToolFailure)) throw failure;
    failWebSearch(run, place, { json, failure });
  }
}

/** Ends a search that failed, or that is not made at all. */
export function failWebSearch(
  run: Run,
  place: Place,
  { json, failure }: { readonly json: string; readonly failure: ToolFailure },
): void {
  end(run, place, { status: 'failed', arguments: json, error: toToolError(failure) });
}

function end(run: Run, place: Place, result: Partial<WebSearchCallItem>): void {
  run.emit({ type: 'response.web_search_call.completed', ...place });
  const item = { ...itemAt(run, place, 'web_search_call'), ...result };
  run.emit({ type: 'response.output_item.done', ...place, item });
  run.flush();
}

function tookTooLong(timeoutMs: number): ToolFailure {
  return new ToolFailure('timeout', `The search took longer than ${timeoutMs / 1000} seconds.`);
}
