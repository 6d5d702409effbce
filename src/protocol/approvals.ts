import type { ItemId } from './ids.ts';
import type { Item, McpApprovalRequestItem, McpApprovalResponseItem } from './items.ts';
import type { ResponseState } from './response.ts';

/** An approved call, still to be made. */
export interface ApprovedCall {
  readonly request: McpApprovalRequestItem;
  readonly response: McpApprovalResponseItem;
}

/** The calls that `input` approves, in its order. `context` is the conversation that it belongs to. */
export function approvedCalls(context: readonly Item[], input: readonly Item[]): readonly ApprovedCall[] {
  const approvals = input
    .filter((item) => item.type === 'mcp_approval_response')
    .filter(({ approve }) => approve);
  if (approvals.length === 0) return [];
  const requests = new Map(
    context.flatMap((item) => (item.type === 'mcp_approval_request' ? [[item.id, item] as const] : [])),
  );
  return approvals.flatMap((response) => {
    const request = requests.get(response.approvalRequestId);
    return request === undefined ? [] : [{ request, response }];
  });
}

/**
 * The requests whose answers in `input` came to nothing in a run that ended as `state`, so that they may be
 * answered again: approved calls that were never started, and denials that the model was never told.
 */
export function unusedAnswers(input: readonly Item[], state: ResponseState): readonly ItemId[] {
  const started = new Set(
    state.output.flatMap((item) =>
      item.type === 'mcp_call' && item.started ? [item.approvalRequestId] : [],
    ),
  );
  const isBroken = state.status === 'failed' || state.status === 'cancelled';
  return input.flatMap((item) => {
    if (item.type !== 'mcp_approval_response') return [];
    const isUsed = item.approve ? started.has(item.approvalRequestId) : !isBroken;
    return isUsed ? [] : [item.approvalRequestId];
  });
}
