import { expect } from 'vitest';

export interface PageArguments {
  readonly first?: number;
  readonly after?: string;
  readonly last?: number;
  readonly before?: string;
}

export interface ConnectionPage {
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly id: string } }[];
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: {
    readonly startCursor: string | null;
    readonly endCursor: string | null;
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
  };
  readonly totalCount?: number | null;
}

export const PAGE_FIELDS = `
  edges { cursor node { id } }
  nodes { id }
  pageInfo { startCursor endCursor hasNextPage hasPreviousPage }`;

type Read = (page: PageArguments) => Promise<ConnectionPage>;

/** The ids of a whole list, in list order, read page by page; every page is checked in itself. */
export async function walk(
  read: Read,
  { size, backward = false }: { readonly size: number; readonly backward?: boolean },
  between: (page: ConnectionPage) => Promise<void> = async () => {},
): Promise<readonly string[]> {
  const pages: (readonly string[])[] = [];
  for (let cursor: string | null | undefined; ; ) {
    const place = cursor ?? undefined;
    const page = await read(
      backward
        ? { last: size, ...(place && { before: place }) }
        : { first: size, ...(place && { after: place }) },
    );
    const ids = checkPage(page);
    expect(ids.length > 0 || pages.length === 0, 'a page that was announced has something').toBe(true);
    pages.push(ids);
    const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo;
    expect(backward ? hasNextPage : hasPreviousPage, 'what lies behind').toBe(pages.length > 1);
    if (!(backward ? hasPreviousPage : hasNextPage)) break;
    expect(ids.length, 'a page with more after it is full').toBe(size);
    await between(page);
    cursor = backward ? startCursor : endCursor;
  }
  return backward ? pages.toReversed().flat() : pages.flat();
}

/** The ids of a page that agrees with itself. */
export function checkPage({ edges, nodes, pageInfo }: ConnectionPage): readonly string[] {
  expect(nodes).toEqual(edges.map(({ node }) => node));
  expect(pageInfo.startCursor).toBe(edges[0]?.cursor ?? null);
  expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null);
  expect(new Set(edges.map(({ cursor }) => cursor)).size).toBe(edges.length);
  return nodes.map(({ id }) => id);
}
