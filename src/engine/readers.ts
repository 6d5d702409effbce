import type { ItemId, ResponseId } from '../protocol/ids.ts';
import type { Item } from '../protocol/items.ts';
import type { Page, PageRequest, TimeKey } from '../protocol/pages.ts';
import type { Scope } from '../protocol/scope.ts';
import type { ResponseFilter, StoredItem } from '../protocol/stored.ts';
import { approvalAnswers } from '../store/approvals.ts';
import type { Database } from '../store/database.ts';
import {
  countInputItems,
  findItems,
  type InputItemQuery,
  type InputItemRow,
  inputItemsPage,
  outputsOf,
  pendingItems,
} from '../store/items.ts';
import { countResponses, responsesPage } from '../store/responses.ts';
import type { UnstoredLogs } from './following/unstored-logs.ts';
import { type ResponseView, readResponses, toViews } from './read-responses.ts';

/** More than this many rows are not counted. */
const COUNT_CAP = 10_000;

/** What the engine reads and never changes: the stored responses and their items, within a scope. */
export function createReaders(database: Database, unstored: UnstoredLogs) {
  return {
    /** Of responses that are not stored, those in flight here. */
    async responses(
      scope: Scope,
      ids: readonly ResponseId[],
    ): Promise<ReadonlyMap<ResponseId, ResponseView>> {
      const here = ids.flatMap((id) => unstored.view(scope, id) ?? []);
      const stored = await readResponses(database, scope, ids);
      return here.length === 0
        ? stored
        : new Map([...stored, ...here.map((view) => [view.base.id, view] as const)]);
    },

    async responsesPage(
      scope: Scope,
      query: { readonly filter: ResponseFilter; readonly page: PageRequest<TimeKey> },
    ): Promise<Page<ResponseView>> {
      const { rows, ...page } = await responsesPage(database, scope, query);
      return { rows: await toViews(database, scope, rows), ...page };
    },

    countResponses: (scope: Scope, filter: ResponseFilter): Promise<number | null> =>
      countResponses(database, scope, { filter, cap: COUNT_CAP }),

    outputs: (scope: Scope, ids: readonly ResponseId[]): Promise<ReadonlyMap<ResponseId, readonly Item[]>> =>
      outputsOf(database, scope, ids),

    pendingItems: (
      scope: Scope,
      ids: readonly ResponseId[],
    ): Promise<ReadonlyMap<ResponseId, readonly Item[]>> => pendingItems(database, scope, ids),

    approvalAnswers: (scope: Scope, ids: readonly ItemId[]): Promise<ReadonlyMap<ItemId, StoredItem>> =>
      approvalAnswers(database, scope, ids),

    items: (scope: Scope, ids: readonly ItemId[]): Promise<ReadonlyMap<ItemId, StoredItem>> =>
      findItems(database, scope, ids),

    inputItemsPage: (scope: Scope, query: InputItemQuery): Promise<Page<InputItemRow>> =>
      inputItemsPage(database, scope, query),

    countInputItems: (scope: Scope, query: Omit<InputItemQuery, 'page'>): Promise<number | null> =>
      countInputItems(database, scope, { ...query, cap: COUNT_CAP }),
  };
}
