import type { SQL } from 'drizzle-orm';
import type { Scope } from '../protocol/scope.ts';
import type { Tenants } from './database.ts';
import { alias, eq, isNull, sql } from './drizzle.ts';
import {
  type Columns,
  hashOf,
  isGiven,
  type Listing,
  MAX_PAIRS,
  merged,
  NOTHING,
  ofRow,
  ofTime,
  ordered,
  type Pair,
  pairsOf,
  type Stretch,
  sparsestFirst,
  type Walk,
} from './response-lists.ts';
import { responseMetadata, responses } from './tables.ts';

/**
 * Finds a way through the responses that a filter leaves which reads few others: along an index that has them in the
 * order of time, never along one that must be read whole before the first is known. If several have a claim, they are
 * tried where the stretch begins.
 */
export async function chooseWalk(tenants: Tenants, listing: Listing, stretch: Stretch): Promise<Walk> {
  const pairs = pairsOf(listing.filter);
  if (pairs.length > MAX_PAIRS) return () => NOTHING;
  const rows = alongRows(listing, pairs);
  const candidates = pairs.map((pair) => alongPair(listing, pair, without(pairs, pair)));
  if (pairs.length === 0 || ofRow(listing.filter).length > 0) candidates.push(rows);
  const lists = candidates.map(({ bare }) => bare);
  const [first] = await sparsestFirst(tenants, listing.scope, { lists, stretch });
  return (candidates[first?.place ?? 0] ?? rows).walk;
}

/** A list that can be walked. */
interface Candidate {
  readonly walk: Walk;
  /** As it is by itself, before the conditions that are checked on the way. */
  readonly bare: Walk;
}

/** Along the entries of one pair of the metadata. */
function alongPair({ scope, filter }: Listing, pair: Pair, others: readonly Pair[]): Candidate {
  const columns = { createdAt: responseMetadata.createdAt, id: responseMetadata.responseId };
  const own = [sql`${responseMetadata.pair} = ${hashOf(scope, pair)}`, ...ofTime(filter, columns.createdAt)];
  const checked = [
    ...own,
    ...others.map((other) => hasPair(scope, other, columns)),
    ...ofRow(filter).map((condition) => hasRow(scope, condition, columns)),
  ];
  return {
    bare: (stretch) => ordered(responseMetadata, columns, { ...stretch, where: own }),
    walk: (stretch) => ordered(responseMetadata, columns, { ...stretch, where: checked }),
  };
}

/** Along the index of a column; with several statuses along their branches of it, which are merged. */
function alongRows({ scope, filter }: Listing, pairs: readonly Pair[]): Candidate {
  const { createdAt, id, tenant, deletedAt, status } = responses;
  const columns = { createdAt, id };
  const { status: statuses, ...others } = filter;
  const own = [eq(tenant, scope.tenant), isNull(deletedAt), ...ofRow(others), ...ofTime(filter, createdAt)];
  const checked = [...own, ...pairs.map((pair) => hasPair(scope, pair, columns))];
  const along =
    (where: readonly SQL[]): Walk =>
    (stretch) => {
      if (!isGiven(statuses)) return ordered(responses, columns, { ...stretch, where });
      const branches = [...new Set(statuses)].map((each) =>
        ordered(responses, columns, { ...stretch, where: [eq(status, each), ...where] }),
      );
      return merged(branches, stretch);
    };
  return { bare: along(own), walk: along(checked) };
}

function without(pairs: readonly Pair[], pair: Pair): readonly Pair[] {
  return pairs.filter((other) => other !== pair);
}

const other = alias(responseMetadata, 'other');

// In this form the planner joins nothing: it looks one entry up in an index for each response that the walk comes to.

function hasPair(scope: Scope, pair: Pair, { createdAt, id }: Columns): SQL {
  return sql`(select true from ${responseMetadata} ${sql.raw('other')}
    where ${other.pair} = ${hashOf(scope, pair)} and ${other.createdAt} = ${createdAt} and ${other.responseId} = ${id})`;
}

/** One condition at a time: then the index that has it tells, and the row need not be read. */
function hasRow({ tenant }: Scope, condition: SQL, { createdAt, id }: Columns): SQL {
  const where = [eq(responses.tenant, tenant), isNull(responses.deletedAt), condition];
  return sql`(select true from ${responses} where ${sql.join(where, sql` and `)}
    and ${responses.createdAt} = ${createdAt} and ${responses.id} = ${id})`;
}
