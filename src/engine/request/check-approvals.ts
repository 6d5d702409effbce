import { asItemId, type ItemId } from '../../protocol/ids.ts';
import type { Item, McpApprovalRequestItem } from '../../protocol/items.ts';
import { invalidInput, type RequestError } from '../../protocol/request-error.ts';
import type { ApprovalRequestRow } from '../../store/approvals.ts';
import type { CreateInput } from './create-input.ts';
import type { OwnInput } from './to-items.ts';
import { approvalNotFound } from './to-tool-items.ts';

interface ApprovalAnswers extends OwnInput {
  readonly tools: CreateInput['tools'];
  /** What came before the request's own input. */
  readonly history: readonly Item[];
}

/** What is wrong with the approval responses of a request. `known`: the requests for approval that there are of these. */
export function checkApprovals(
  { tools, history, input, places }: ApprovalAnswers,
  known: ReadonlyMap<ItemId, ApprovalRequestRow>,
): readonly RequestError[] {
  if (answeredIn(input).length === 0) return [];
  const branch = new Set(history.map(({ id }) => id));
  const errors: RequestError[] = [];
  const seen = new Set<ItemId>();
  for (const item of input) {
    if (item.type !== 'mcp_approval_response') continue;
    const { approvalRequestId: id, approve } = item;
    const path = places.get(item.id) ?? ['input', 'items'];
    const row = known.get(id);
    if (row === undefined) {
      errors.push(approvalNotFound(id, path));
      continue;
    }
    const message = seen.has(id)
      ? `The approval request "${id}" is answered twice here.`
      : whyNotHere(row.request, branch);
    seen.add(id);
    if (message !== null) errors.push(invalidInput(path, message));
    else if (row.isAnswered) errors.push(alreadyAnswered(id, path));
    else if (approve) errors.push(...withoutServer(row, tools));
  }
  return errors;
}

/** The approval requests that a request answers, by ids that there may be; the same as `answeredIn` its items. */
export function answeredBy({ items }: CreateInput['input']): readonly ItemId[] {
  return (items ?? []).flatMap(
    ({ mcpApprovalResponse }) => asItemId(mcpApprovalResponse?.approvalRequestId ?? '') ?? [],
  );
}

/** The approval requests that an input answers. */
export function answeredIn(input: readonly Item[]): readonly ItemId[] {
  return input.flatMap((item) => (item.type === 'mcp_approval_response' ? [item.approvalRequestId] : []));
}

export function alreadyAnswered(id: string, path: readonly string[]): RequestError {
  const message = `The approval request "${id}" has been answered already.`;
  return { code: 'APPROVAL_ALREADY_ANSWERED', message, path };
}

function whyNotHere({ id, status }: McpApprovalRequestItem, branch: ReadonlySet<ItemId>): string | null {
  if (!branch.has(id)) {
    return `The approval request "${id}" is of another branch: continue the response that asked, or one after it.`;
  }
  return status === 'completed' ? null : `The approval request "${id}" failed and waits for no answer.`;
}

/** An approved call is made with the server and the secrets that come with the approval. */
function withoutServer(
  { request }: ApprovalRequestRow,
  tools: CreateInput['tools'],
): readonly RequestError[] {
  const { serverLabel, serverUrl } = request;
  const isThere = tools?.some(({ mcp }) => mcp?.serverLabel === serverLabel && mcp.serverUrl === serverUrl);
  if (isThere) return [];
  const message = `To make the approved call, the tools need the MCP server "${serverLabel}" at ${serverUrl.slice(0, 300)}, with its secrets.`;
  return [invalidInput(['tools'], message)];
}
