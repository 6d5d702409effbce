import type { ResponseId } from './ids.ts';
import type { Item } from './items.ts';
import type { ResponseStatus } from './response.ts';

/** An item and the response that it belongs to; null once that has been deleted. */
export interface StoredItem {
  readonly item: Item;
  readonly responseId: ResponseId | null;
}

/** Which stored responses are asked for. What is absent or null asks for nothing. */
export interface ResponseFilter {
  readonly status?: readonly ResponseStatus[] | null;
  readonly model?: string | null;
  /** Milliseconds since 1970; the moment itself is left out. */
  readonly createdAfter?: number | null;
  readonly createdBefore?: number | null;
  /** Responses whose metadata contains all of these pairs. */
  readonly metadata?: { readonly [key: string]: unknown } | null;
  readonly background?: boolean | null;
  readonly previousResponseId?: ResponseId | null;
  /** True: only responses that continue none; false: only those that continue one. */
  readonly isRoot?: boolean | null;
}
