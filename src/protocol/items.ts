import type { ContentPart, InputPart, OutputPart, ReasoningTextPart } from './content.ts';
import { textOf } from './content.ts';
import type { ItemId } from './ids.ts';

/** What goes into a response and comes out of it, by the names of the Responses API. */
export type Item = MessageItem | FunctionCallItem | FunctionCallOutputItem | ReasoningItem;

export type ItemType = Item['type'];

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete' | 'failed';

interface ItemBase {
  readonly id: ItemId;
  readonly status: ItemStatus;
  /** The model call that this item came from, counted from 0 within its response; null for items given as input. */
  readonly round: number | null;
}

export type MessageRole = 'user' | 'system' | 'developer' | 'assistant';

export interface MessageItem extends ItemBase {
  readonly type: 'message';
  readonly role: MessageRole;
  readonly content: readonly (InputPart | OutputPart)[];
}

export interface FunctionCallItem extends ItemBase {
  readonly type: 'function_call';
  readonly callId: string;
  readonly name: string;
  /** JSON text as the model wrote it, valid or not. */
  readonly arguments: string;
  readonly error: ToolError | null;
}

export interface FunctionCallOutputItem extends ItemBase {
  readonly type: 'function_call_output';
  readonly callId: string;
  readonly content: readonly InputPart[];
}

export interface ReasoningItem extends ItemBase {
  readonly type: 'reasoning';
  readonly content: readonly ReasoningTextPart[];
  readonly summary: readonly string[];
  /** Reasoning that only its provider can read. */
  readonly encryptedContent: string | null;
}

/** Why a tool call failed. */
export interface ToolError {
  readonly type: 'unknown_tool';
  /** A status or protocol code, where the failure has one. */
  readonly code: number | null;
  readonly message: string;
}

/** An item's content parts; an empty list for items that have none. */
export function contentOf(item: Item): readonly ContentPart[] {
  return item.type === 'function_call' ? [] : item.content;
}

/** The text of every output message, joined. */
export function outputTextOf(output: readonly Item[]): string {
  let text = '';
  for (const item of output) if (item.type === 'message') text += textOf(item.content);
  return text;
}
