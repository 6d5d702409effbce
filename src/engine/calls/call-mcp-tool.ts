import { closeMcpArguments } from '../../protocol/close-items.ts';
import { type McpCallItem, sizeOfContent } from '../../protocol/items.ts';
import type { JsonObject, McpServerTool } from '../../protocol/tools.ts';
import { ToolFailure, toToolError } from '../../tools/tool-failure.ts';
import { itemAt, type Place } from '../run/event-target.ts';
import type { Run } from '../run/run.ts';
import type { ToolContext } from './tool-context.ts';

export interface McpToolCall {
  readonly server: McpServerTool;
  readonly name: string;
  readonly args: JsonObject;
}

/**
 * Makes one MCP call, whose item is open. The mark that it has started is committed before the server hears of
 * it, so that nobody ever makes it twice; a session is opened before that, so that a server which cannot be
 * reached leaves no mark. A failure is told as the end of the item.
 *
 * @throws the reason of the run's signal when it is stopped.
 */
export async function callMcpTool(
  { run, servers, budget }: ToolContext,
  place: Place,
  { server, name, args }: McpToolCall,
): Promise<void> {
  let isCalled = false;
  try {
    await servers.connect(server, run.signal);
    run.signal.throwIfAborted();
    const start = { usage: run.usedTokens };
    run.emit(closeMcpArguments(itemAt(run, place, 'mcp_call'), place.outputIndex, start));
    await run.commit();
    isCalled = true;
    const content = await servers.call(server, { name, args }, run.signal);
    run.signal.throwIfAborted();
    budget.keep(sizeOfContent(content));
    end(run, place, { status: 'completed', content });
  } catch (error) {
    if (run.signal.aborted && !isCalled) takeBackMark(run, place);
    run.signal.throwIfAborted();
    if (!(error instanceof ToolFailure)) throw error;
    failMcpCall(run, place, error);
  }
}

/** Stopped after the mark was made and before the call: this process alone knows that there was none. */
function takeBackMark(run: Run, place: Place): void {
  const item = itemAt(run, place, 'mcp_call');
  if (!item.started) return; // then whoever ends the run closes it
  const unmade = { ...item, status: 'incomplete', started: false } as const;
  run.emit({ type: 'response.output_item.done', ...place, item: unmade });
}

/** Ends a call that failed, or that is not made at all. */
export function failMcpCall(run: Run, place: Place, failure: ToolFailure): void {
  const item = itemAt(run, place, 'mcp_call');
  if (!item.started) run.emit(closeMcpArguments(item, place.outputIndex, null));
  end(run, place, { status: 'failed', error: toToolError(failure) });
}

type McpCallEnd =
  | { readonly status: 'completed'; readonly content: McpCallItem['content'] }
  | { readonly status: 'failed'; readonly error: McpCallItem['error'] };

function end(run: Run, place: Place, result: McpCallEnd): void {
  run.emit({ type: `response.mcp_call.${result.status}`, ...place });
  const item = { ...itemAt(run, place, 'mcp_call'), ...result };
  run.emit({ type: 'response.output_item.done', ...place, item });
  run.flush();
}
