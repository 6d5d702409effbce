import type { ItemId, ResponseId } from '../protocol/ids.ts';
import type { Item } from '../protocol/items.ts';
import type { Page, PageRequest, TimeKey } from '../protocol/pages.ts';
import type { ResponseState } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { ResponseFilter, StoredItem } from '../protocol/stored.ts';
import { approvalAnswers } from '../store/approvals.ts';
import { type ContinuationsQuery, continuationPages, countContinuations } from '../store/continuations.ts';
import type { Tenants } from '../store/database.ts';
import {
  countInputItems,
  type InputItemQuery,
  type InputItemRow,
  type InputReach,
  inputItemPages,
} from '../store/input-items.ts';
import { findItems, pendingItems } from '../store/items.ts';
import { countResponses, responsesPage } from '../store/responses.ts';
import type { UnstoredLogs } from './following/unstored-logs.ts';
import { type ResponseView, readResponses, toView, toViews, wholeStates } from './read-responses.ts';

export type { ContinuationsQuery, InputItemQuery, InputItemRow, InputReach };

/** More than this many rows are not counted. */
const COUNT_CAP = 10_000;

/** A length, or null for one that is not counted. */
type Count = number | null;

/**
 * What the engine reads and never changes: the stored responses and their items, within a scope. What is asked for
 * many at once takes as many statements as for one; a list of answers is in the order of what was asked for.
 */
export function createReaders(tenants: Tenants, unstored: UnstoredLogs) {
  return {
    /** Of responses that are not stored, those in flight here. */
    async responses(
      scope: Scope,
      ids: readonly ResponseId[],
    ): Promise<ReadonlyMap<ResponseId, ResponseView>> {
      const here = ids.flatMap((id) => unstored.view(scope, id) ?? []);
      const stored = await readResponses(tenants, scope, ids);
      return here.length === 0
        ? stored
        : new Map([...stored, ...here.map((view) => [view.base.id, view] as const)]);
    },

    /** Everything that views stand for, with their outputs. */
    states: (scope: Scope, views: readonly ResponseView[]): Promise<readonly ResponseState[]> =>
      wholeStates(tenants, scope, views),

    async responsesPage(
      scope: Scope,
      query: { readonly filter: ResponseFilter; readonly page: PageRequest<TimeKey> },
    ): Promise<Page<ResponseView>> {
      const { rows, ...page } = await responsesPage(tenants, scope, query);
      return { rows: await toViews(tenants, scope, rows), ...page };
    },

    countResponses: (scope: Scope, filter: ResponseFilter): Promise<Count> =>
      countResponses(tenants, scope, { filter, cap: COUNT_CAP }),

    async continuationPages(
      scope: Scope,
      queries: readonly ContinuationsQuery[],
    ): Promise<readonly Page<ResponseView>[]> {
      const pages = await continuationPages(tenants, scope, queries);
      return pages.map(({ rows, ...page }) => ({ rows: rows.map(toView), ...page }));
    },

    async countContinuations(
      scope: Scope,
      ids: readonly ResponseId[],
    ): Promise<ReadonlyMap<ResponseId, Count>> {
      const counts = await countContinuations(tenants, scope, { ids, cap: COUNT_CAP });
      return new Map([...counts].map(([id, count]) => [id, capped(count)]));
    },

    inputItemPages: (
      scope: Scope,
      queries: readonly InputItemQuery[],
    ): Promise<readonly Page<InputItemRow>[]> => inputItemPages(tenants, scope, queries),

    async countInputItems(scope: Scope, queries: readonly InputReach[]): Promise<readonly Count[]> {
      return (await countInputItems(tenants, scope, { queries, cap: COUNT_CAP })).map(capped);
    },

    pendingItems: (
      scope: Scope,
      ids: readonly ResponseId[],
    ): Promise<ReadonlyMap<ResponseId, readonly Item[]>> => pendingItems(tenants, scope, ids),

    approvalAnswers: (scope: Scope, ids: readonly ItemId[]): Promise<ReadonlyMap<ItemId, StoredItem>> =>
      approvalAnswers(tenants, scope, ids),

    items: (scope: Scope, ids: readonly ItemId[]): Promise<ReadonlyMap<ItemId, StoredItem>> =>
      findItems(tenants, scope, ids),
  };
}

function capped(count: number): Count {
  return count > COUNT_CAP ? null : count;
}
