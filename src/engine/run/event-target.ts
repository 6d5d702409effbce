import type { EventDraft } from '../../protocol/events.ts';
import type { ItemId } from '../../protocol/ids.ts';
import type { Item, ItemType } from '../../protocol/items.ts';
import type { ResponseState } from '../../protocol/response.ts';

/** What writing items needs of a run: its state, and a way to change it. */
export interface EventTarget {
  readonly state: ResponseState;
  emit(draft: EventDraft): void;
}

/** Where an item stands in the output. */
export interface Place {
  readonly itemId: ItemId;
  readonly outputIndex: number;
}

/** Adds an item behind the others. The only place where an output index is made: no two items share one. */
export function addItem(target: EventTarget, item: Item): Place {
  const place = { itemId: item.id, outputIndex: target.state.output.length };
  target.emit({ type: 'response.output_item.added', ...place, item });
  return place;
}

/** Adds an item that comes whole. */
export function addWholeItem(target: EventTarget, item: Item): void {
  const place = addItem(target, { ...item, status: 'in_progress' });
  target.emit({ type: 'response.output_item.done', ...place, item });
}

/** The item of this type at a place, as it is now. */
export function itemAt<Type extends ItemType>(
  { state }: EventTarget,
  { outputIndex }: Place,
  type: Type,
): Extract<Item, { type: Type }> {
  const item = state.output[outputIndex];
  if (item?.type !== type) throw new Error(`Item ${outputIndex} is no ${type}.`);
  return item as Extract<Item, { type: Type }>;
}
