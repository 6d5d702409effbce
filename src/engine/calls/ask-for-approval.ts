import type { McpApprovalRequestItem } from '../../protocol/items.ts';
import { type ToolFailure, toToolError } from '../../tools/tool-failure.ts';
import { itemAt, type Place } from '../run/event-target.ts';
import type { Run } from '../run/run.ts';

/** Puts a call to the client: whole, with the arguments that it is to judge. */
export function askForApproval(run: Run, place: Place, json: string): void {
  end(run, place, { status: 'completed', arguments: json });
}

/** Ends a request that nobody needs to judge: the call cannot be made. */
export function refuseApproval(
  run: Run,
  place: Place,
  { json, failure }: { readonly json: string; readonly failure: ToolFailure },
): void {
  end(run, place, { status: 'failed', arguments: json, error: toToolError(failure) });
}

function end(run: Run, place: Place, result: Partial<McpApprovalRequestItem>): void {
  const item = { ...itemAt(run, place, 'mcp_approval_request'), ...result };
  run.emit({ type: 'response.output_item.done', ...place, item });
}
