import { eq, inArray, isNotNull, isNull, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { TimeKey } from '../protocol/pages.ts';
import type { ResponseStatus } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { ResponseFilter } from '../protocol/stored.ts';
import { compiled } from './compiled.ts';
import type { Tenants } from './database.ts';
import { responseMetadata, responses } from './tables.ts';

/** A part of the list of responses, by the time of their creation, and the way through it. */
export interface Stretch {
  readonly bounds: readonly Bound[];
  readonly descending: boolean;
  /** At most this many. */
  readonly limit: number;
}

export interface Bound {
  readonly is: '<' | '<=' | '>' | '>=';
  readonly key: TimeKey;
}

/** The statement that finds the first `created_at` and `id` in a stretch, in its order. */
export type Walk = (stretch: Stretch) => SQL;

export interface Listing {
  readonly scope: Scope;
  readonly filter: ResponseFilter;
}

/**
 * Finds a way through the responses that a filter leaves which reads few others: along an index that has them in the
 * order of time, never along one that must be read whole before the first is known. If several have a claim, they are
 * tried where the stretch begins.
 */
export async function chooseWalk(tenants: Tenants, listing: Listing, stretch: Stretch): Promise<Walk> {
  const pairs = Object.entries(listing.filter.metadata ?? {}).map(toPair);
  if (pairs.length > MAX_PAIRS) return () => NOTHING;
  const rows = alongRows(listing, pairs);
  const candidates = pairs.map((pair) => alongPair(listing, pair, without(pairs, pair)));
  if (pairs.length === 0 || ofRow(listing.filter).length > 0) candidates.push(rows);
  const entries = { candidates, stretch };
  const place = candidates.length > 1 ? await sparsest(tenants, listing.scope, entries) : 0;
  return (candidates[place] ?? rows).walk;
}

/** No response has more. */
const MAX_PAIRS = 16;

const NOTHING = sql`select created_at, id from ${responses} where false`;

/** A list that can be walked. */
interface Candidate {
  readonly walk: Walk;
  /** As it is by itself, before the conditions that are checked on the way. */
  readonly bare: Walk;
}

/** So many entries of a list tell how dense it is. */
const PROBED = 1000;

/** The place of the list whose entries lie farthest apart: its thousandth is the farthest away, or not there at all. */
async function sparsest(
  tenants: Tenants,
  scope: Scope,
  { candidates, stretch }: { readonly candidates: readonly Candidate[]; readonly stretch: Stretch },
): Promise<number> {
  const farthest = stretch.descending ? sql`min(created_at)` : sql`max(created_at)`;
  const probes = candidates.map(({ bare }, place) => {
    const entries = bare({ ...stretch, limit: PROBED });
    return sql`select ${place}::int as place, case count(*) when ${PROBED}::int then ${farthest} end as reached
      from (${entries}) entries`;
  });
  const [row] = await tenants.as(
    scope,
    compiled<{ place: number }>(sql`
      select place from (${sql.join(probes, sql` union all `)}) probes
      order by reached ${stretch.descending ? ASC : DESC} nulls first, place limit 1`),
  );
  return row?.place ?? 0;
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

interface Columns {
  readonly createdAt: SQLWrapper;
  readonly id: SQLWrapper;
}

function ordered(
  from: SQLWrapper,
  { createdAt, id }: Columns,
  { where, bounds, descending, limit }: Stretch & { readonly where: readonly SQL[] },
): SQL {
  const way = descending ? DESC : ASC;
  const within = bounds.map(
    ({ is, key }) =>
      sql`(${createdAt}, ${id}) ${sql.raw(is)} (${new Date(key.createdAt).toISOString()}::timestamptz, ${key.id})`,
  );
  return sql`select ${createdAt} as created_at, ${id} as id from ${from}
    where ${sql.join([...where, ...within], sql` and `)}
    order by ${createdAt} ${way}, ${id} ${way} limit ${limit}`;
}

function merged(branches: readonly SQL[], { descending, limit }: Stretch): SQL {
  const [first, ...others] = branches;
  if (first === undefined) return NOTHING;
  if (others.length === 0) return first;
  const way = descending ? DESC : ASC;
  return sql`select created_at, id from (${sql.join(
    branches.map((branch) => sql`(${branch})`),
    sql` union all `,
  )}) branches order by created_at ${way}, id ${way} limit ${limit}`;
}

const ASC = sql.raw('asc');
const DESC = sql.raw('desc');

/** A pair as JSON. */
type Pair = string;

function toPair([key, value]: readonly [string, unknown]): Pair {
  return JSON.stringify({ [key]: value });
}

function without(pairs: readonly Pair[], pair: Pair): readonly Pair[] {
  return pairs.filter((other) => other !== pair);
}

function hashOf({ tenant }: Scope, pair: Pair): SQL {
  return sql`(select * from metadata_pairs(${tenant}, ${pair}::text::jsonb))`;
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

/** Conditions that only the row of a response can answer. */
function ofRow(filter: ResponseFilter): readonly SQL[] {
  const { status, model, background, previousResponseId, isRoot } = filter;
  return [
    ...(isGiven(status) ? [isOneOf(status)] : []),
    ...(isGiven(model) ? [eq(responses.model, model)] : []),
    ...(isGiven(background) ? [eq(responses.background, background)] : []),
    ...(isGiven(previousResponseId) ? [eq(responses.previousResponseId, previousResponseId)] : []),
    ...(isRoot === true ? [isNull(responses.previousResponseId)] : []),
    ...(isRoot === false ? [isNotNull(responses.previousResponseId)] : []),
  ];
}

function isOneOf(statuses: readonly ResponseStatus[]): SQL {
  return inArray(responses.status, [...statuses]);
}

function ofTime({ createdAfter, createdBefore }: ResponseFilter, createdAt: SQLWrapper): readonly SQL[] {
  return [
    ...(isGiven(createdAfter) ? [sql`${createdAt} > ${toMoment(createdAfter)}::timestamptz`] : []),
    ...(isGiven(createdBefore) ? [sql`${createdAt} < ${toMoment(createdBefore)}::timestamptz`] : []),
  ];
}

function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}

const FIRST_MOMENT = Date.parse('0001-01-01T00:00:00Z');
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z');

/** A date that Postgres reads as JavaScript writes it; no response was created outside of these. */
function toMoment(time: number): string {
  return new Date(Math.min(Math.max(time, FIRST_MOMENT), LAST_MOMENT)).toISOString();
}
