import { type Page, type PageRequest, readsDescending, startOf } from '../protocol/pages.ts';

/** Pages that one statement reads: all of them go through their lists in the same direction. */
export interface AlikePages<Query> {
  readonly queries: readonly Query[];
  readonly descending: boolean;
}

interface PageQuery<Key> {
  readonly page: PageRequest<Key>;
}

/** A page for each query, read by a statement for those that go upwards, and one for those that go downwards. */
export async function readAlike<Query extends PageQuery<unknown>, Row>(
  queries: readonly Query[],
  read: (alike: AlikePages<Query>) => Promise<readonly Page<Row>[]>,
): Promise<readonly Page<Row>[]> {
  const [up, down] = [false, true].map((descending) => ({
    descending,
    queries: queries.filter(({ page }) => readsDescending(page) === descending),
  }));
  const pages = new Map<Query, Page<Row>>();
  await Promise.all(
    [up, down].map(async (alike) => {
      if (alike === undefined || alike.queries.length === 0) return;
      const found = await read(alike);
      found.forEach((page, index) => {
        const query = alike.queries[index];
        if (query !== undefined) pages.set(query, page);
      });
    }),
  );
  return queries.map((query) => pages.get(query) ?? EMPTY);
}

const EMPTY = { rows: [], hasNextPage: false, hasPreviousPage: false };

/** What the rows of a page lie between; `start` is the one of these that the page begins at. Null where it is open. */
export function boundsOf<Key>({ page }: PageQuery<Key>): {
  readonly low: Key | null;
  readonly high: Key | null;
  readonly start: Key | null;
} {
  const [low, high] = page.order === 'asc' ? [page.after, page.before] : [page.before, page.after];
  return { low, high, start: startOf(page) };
}
