import { type InputPart, textOf } from '../protocol/content.ts';
import type { ItemId } from '../protocol/ids.ts';
import {
  type FunctionCallOutputItem,
  type Item,
  isOpen,
  type McpApprovalRequestItem,
  type McpApprovalResponseItem,
  type McpCallItem,
  type ToolError,
} from '../protocol/items.ts';
import type { CallItem } from './chat-turns.ts';

/** What the model is told of a call that it made. */
export interface CallAnswer {
  readonly text: string;
  /** Pictures and files. */
  readonly media: readonly InputPart[];
}

/**
 * Collects the answers to calls, wherever in the conversation they stand. What it returns gives the answer to one
 * call; null for a call that has none, or that was cut off: an upstream would refuse it.
 */
export function readAnswers(context: readonly Item[]): (call: CallItem) => CallAnswer | null {
  const outputs = new Map<string, FunctionCallOutputItem>();
  const carriedOut = new Map<ItemId, McpCallItem>();
  const decisions = new Map<ItemId, McpApprovalResponseItem>();
  for (const item of context) {
    if (item.type === 'function_call_output') outputs.set(item.callId, item);
    else if (item.type === 'mcp_approval_response') {
      decisions.set(item.approvalRequestId, item);
      // Answered again: what came of the answer before was nothing.
      carriedOut.delete(item.approvalRequestId);
    } else if (item.type === 'mcp_call' && item.approvalRequestId !== null) {
      // Of a call that was cut off it is known only that it had started.
      const isKnown = carriedOut.get(item.approvalRequestId)?.status === 'completed';
      if (!isCutOff(item) || (item.started && !isKnown)) carriedOut.set(item.approvalRequestId, item);
    }
  }

  function toRequested({ id, status, error }: McpApprovalRequestItem): CallAnswer {
    if (status === 'failed') return toFailed(error);
    const call = carriedOut.get(id);
    return call === undefined ? toDecided(decisions.get(id)) : toCalled(call);
  }

  return (call) => {
    if (isCutOff(call)) return null;
    switch (call.type) {
      case 'function_call': {
        const output = outputs.get(call.callId);
        return output === undefined ? null : toAnswer(output.content);
      }
      case 'web_search_call':
        return call.status === 'failed' ? toFailed(call.error) : toText(call.output);
      case 'mcp_call':
        return toCalled(call);
      case 'mcp_approval_request':
        return toRequested(call);
      default:
        return call satisfies never;
    }
  };
}

function isCutOff(call: CallItem): boolean {
  return call.status === 'incomplete' || isOpen(call);
}

function toCalled(call: McpCallItem): CallAnswer {
  const { status, error, content } = call;
  if (isCutOff(call))
    return toText('This call was started and then cut off: whether it took effect is not known.');
  if (status === 'failed') return toFailed(error);
  const answer = toAnswer(content);
  if (answer.text !== '') return answer;
  return {
    ...answer,
    text: answer.media.length > 0 ? 'The result is attached below.' : 'The tool gave no text.',
  };
}

function toDecided(decision: McpApprovalResponseItem | undefined): CallAnswer {
  if (decision === undefined) return toText('This call was not approved.');
  if (decision.approve) return toText('The user approved this call, but it has not been carried out.');
  const reason = decision.reason ? ` The reason given: ${decision.reason}` : '';
  return toText(`The user did not approve this call.${reason}`);
}

function toFailed(error: ToolError | null): CallAnswer {
  return toText(error?.message ?? 'The call failed.');
}

function toAnswer(content: readonly InputPart[]): CallAnswer {
  return { text: textOf(content), media: content.filter((part) => part.type !== 'input_text') };
}

function toText(text: string): CallAnswer {
  return { text, media: [] };
}
