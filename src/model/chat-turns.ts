import type {
  FunctionCallItem,
  Item,
  McpApprovalRequestItem,
  McpCallItem,
  MessageItem,
  WebSearchCallItem,
} from '../protocol/items.ts';

/** A call that the model made, whoever answers it. */
export type CallItem = FunctionCallItem | WebSearchCallItem | McpCallItem | McpApprovalRequestItem;

export type ChatTurn = InputTurn | ModelTurn;

/** A message that the model was sent. */
export interface InputTurn {
  readonly type: 'input';
  readonly message: MessageItem;
}

/** What a model said in one round: one assistant message, however many items it became. */
export interface ModelTurn {
  readonly type: 'model';
  readonly messages: readonly MessageItem[];
  readonly calls: readonly CallItem[];
}

interface OpenTurn extends ModelTurn {
  readonly round: number | null;
  readonly messages: MessageItem[];
  readonly calls: CallItem[];
}

/** Who said what, in order. Answers to calls are no turns: they only end the turn of the model before them. */
export function toTurns(context: readonly Item[]): readonly ChatTurn[] {
  const turns: ChatTurn[] = [];
  let open: OpenTurn | null = null;
  for (const item of context) {
    switch (item.type) {
      case 'message':
        if (item.role !== 'assistant') {
          open = null;
          turns.push({ type: 'input', message: item });
          break;
        }
        if (open === null || !continues(open, item)) open = begin(turns, item);
        open.messages.push(item);
        break;
      case 'function_call':
      case 'web_search_call':
      case 'mcp_call':
      case 'mcp_approval_request':
        if (isAnswer(item)) {
          open = null;
          break;
        }
        if (open === null || open.round !== item.round) open = begin(turns, item);
        open.calls.push(item);
        break;
      case 'function_call_output':
      case 'mcp_approval_response':
        open = null;
        break;
      case 'reasoning': // between two turns these may be all that tells them apart
      case 'mcp_list_tools':
        if (open !== null && open.round !== item.round) open = null;
        break;
      default:
        item satisfies never;
    }
  }
  return turns;
}

function begin(turns: ChatTurn[], { round }: Item): OpenTurn {
  const turn: OpenTurn = { type: 'model', round, messages: [], calls: [] };
  turns.push(turn);
  return turn;
}

/** What came of an approval: the call itself was made where the approval was asked for. */
function isAnswer(call: CallItem): boolean {
  return call.type === 'mcp_call' && call.approvalRequestId !== null;
}

/**
 * Items given as input name no round. There each message begins a turn, unless only calls stand before it whose
 * answers are yet to come: what follows a call that holds its own result was said in view of that.
 */
function continues({ round, messages, calls }: OpenTurn, message: MessageItem): boolean {
  if (round !== message.round) return false;
  return round !== null || (messages.length === 0 && !calls.some(holdsResult));
}

function holdsResult({ type }: CallItem): boolean {
  return type === 'web_search_call' || type === 'mcp_call';
}
