import { asItemId, newCallId, newItemId } from '../../protocol/ids.ts';
import { type Item, isOpen, sizeOfItem } from '../../protocol/items.ts';
import { invalidInput, type RequestError } from '../../protocol/request-error.ts';
import type { Scope } from '../../protocol/scope.ts';
import type { Tenants } from '../../store/database.ts';
import { findItems } from '../../store/items.ts';
import type { CreateInput } from './create-input.ts';
import { quoted } from './sizes.ts';

/** The stored items that a request may copy, by their ids. */
export type ReferencedItems = ReadonlyMap<string, Item>;

/** The items that an input refers to, as far as there are such. Asks the database only if it refers to some. */
export async function findReferenced(
  tenants: Tenants,
  scope: Scope,
  { items = [] }: CreateInput['input'],
): Promise<ReferencedItems> {
  const ids = new Set((items ?? []).flatMap(({ itemReference }) => asItemId(itemReference ?? '') ?? []));
  if (ids.size === 0) return new Map();
  const stored = await findItems(tenants, scope, [...ids]);
  // What stays of a deleted response is for its continuations alone.
  return new Map(
    [...stored].flatMap(([id, { item, responseId }]) => (responseId === null ? [] : [[id, item] as const])),
  );
}

/** As much as a request itself may hold: a few bytes that name an item many times must not become more. In characters. */
const MAX_COPIED = 25_000_000;

/** What the copies of a request come to. */
export function checkCopiedSize(
  { items }: CreateInput['input'],
  referenced: ReferencedItems,
  errors: RequestError[],
): void {
  let size = 0;
  for (const { itemReference } of items ?? []) {
    const item = referenced.get(itemReference ?? '');
    if (item !== undefined) size += sizeOfItem(item) + ITEM_SIZE;
  }
  if (size <= MAX_COPIED) return;
  const message = `The items that are referred to hold more than ${MAX_COPIED} characters together.`;
  errors.push(invalidInput(['input', 'items'], message));
}

/** What an item takes beside what can grow in it. */
const ITEM_SIZE = 300;

/** The copy that a reference stands for, under an id of its own. Empty if there can be none, which is an error. */
export function toReferenced(
  id: string,
  referenced: ReferencedItems,
  { path, errors }: { readonly path: readonly string[]; readonly errors: RequestError[] },
): readonly Item[] {
  const at = [...path, 'itemReference'];
  const item = referenced.get(id);
  if (item === undefined) {
    const message = `There is no item ${quoted(id)}.`;
    errors.push({ code: 'ITEM_NOT_FOUND', message, path: at });
    return [];
  }
  if (isOpen(item) || ('callId' in item && item.status === 'incomplete')) {
    const message = `The item "${id}" was never finished: leave it out, and give what you know of it as items of your own.`;
    errors.push(invalidInput(at, message));
    return [];
  }
  const copy = toCopy(item);
  if (copy === null) {
    const message = `The item "${id}" belongs to the branch in which approval was asked for: continue that with previousResponseId.`;
    errors.push(invalidInput(at, message));
    return [];
  }
  return [copy];
}

/**
 * Function calls keep their call ids, by which their outputs find them. Calls that hold their own results get new
 * ones: the same call may be in the conversation already, and one that was approved stands for itself here.
 */
function toCopy(item: Item): Item | null {
  switch (item.type) {
    case 'message':
      return { ...item, id: newItemId('msg'), round: null };
    case 'function_call':
      return { ...item, id: newItemId('fc'), round: null };
    case 'function_call_output':
      return { ...item, id: newItemId('fco'), round: null };
    case 'reasoning':
      return { ...item, id: newItemId('rs'), round: null };
    case 'web_search_call':
      return { ...item, id: newItemId('ws'), round: null, callId: newCallId() };
    case 'mcp_list_tools':
      return { ...item, id: newItemId('mcpl'), round: null };
    case 'mcp_call':
      return { ...item, id: newItemId('mcp'), round: null, callId: newCallId(), approvalRequestId: null };
    case 'mcp_approval_request':
    case 'mcp_approval_response':
      return null;
    default:
      return item satisfies never;
  }
}
