import type { Item } from '../../protocol/items.ts';

/** Where a run goes on. */
export interface ResumePoint {
  /** The next round: as many as there are whole ones in the output. */
  readonly round: number;
  /** True if the last of those left something for the client to answer: the model is not asked again. */
  readonly isOver: boolean;
}

/** Where a run goes on that has this output, all of it closed. A new one has none. */
export function resumePoint(output: readonly Item[]): ResumePoint {
  const round = output.reduce((next, item) => Math.max(next, (item.round ?? -1) + 1), 0);
  return { round, isOver: output.some((item) => item.round === round - 1 && waits(item)) };
}

/** True for what only the client can answer. A call or a request that failed has its answer. */
function waits({ type, status }: Item): boolean {
  return (type === 'function_call' || type === 'mcp_approval_request') && status === 'completed';
}

/** True once a call of a server-run tool was committed as started: it may have had its effect, whatever its end. */
export function hasStarted(item: Item): boolean {
  switch (item.type) {
    case 'mcp_call':
      return item.started;
    case 'web_search_call':
      return item.query !== null; // known from the start of the search on
    case 'message':
    case 'function_call':
    case 'function_call_output':
    case 'reasoning':
    case 'mcp_list_tools':
    case 'mcp_approval_request':
    case 'mcp_approval_response':
      return false;
    default:
      return item satisfies never;
  }
}
