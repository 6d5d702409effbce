import type { SQL, SQLWrapper } from 'drizzle-orm';
import type { TimeKey } from '../protocol/pages.ts';
import type { ResponseStatus } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { ResponseFilter } from '../protocol/stored.ts';
import { compiled } from './compiled.ts';
import type { Tenants } from './database.ts';
import { eq, inArray, isNotNull, isNull, sql } from './drizzle.ts';
import { responses } from './tables.ts';

/** A part of the list of responses, by the time of their creation, and the way through it. */
export interface Stretch {
  readonly bounds: readonly Bound[];
  readonly descending: boolean;
  /** At most this many. */
  readonly limit: number | SQL;
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

export const NOTHING = sql`select created_at, id from ${responses} where false`;

/** No response has more. */
export const MAX_PAIRS = 16;

/** A pair of the metadata as JSON. */
export type Pair = string;

export function pairsOf({ metadata }: ResponseFilter): readonly Pair[] {
  return Object.entries(metadata ?? {}).map(([key, value]) => JSON.stringify({ [key]: value }));
}

export function hashOf({ tenant }: Scope, pair: Pair): SQL {
  return sql`(select * from metadata_pairs(${tenant}, ${pair}::text::jsonb))`;
}

/** So many entries of a list tell how dense it is. */
const PROBED = 1000;

/** A list as it was found where a stretch begins. */
export interface Probed {
  readonly place: number;
  /** Seconds that its first thousand entries cover; null if it has fewer. */
  readonly span: number | null;
}

/**
 * Lists by their places, those first whose entries lie farthest apart where a stretch begins: the thousandth of the
 * first is the farthest away, or not there at all.
 */
export async function sparsestFirst(
  tenants: Tenants,
  scope: Scope,
  { lists, stretch }: { readonly lists: readonly Walk[]; readonly stretch: Stretch },
): Promise<readonly Probed[]> {
  if (lists.length < 2) return lists.map((_, place) => ({ place, span: null }));
  const farthest = stretch.descending ? sql`min(created_at)` : sql`max(created_at)`;
  const probes = lists.map((list, place) => {
    const entries = list({ ...stretch, limit: PROBED });
    return sql`select ${place}::int as place, count(*) as length, max(created_at) - min(created_at) as span,
      case count(*) when ${PROBED}::int then ${farthest} end as reached
      from (${entries}) entries`;
  });
  const rows = await tenants.as(
    scope,
    compiled<{ place: number; span: number | null }>(sql`
      select place, case when reached is not null then extract(epoch from span)::float8 end as span
      from (${sql.join(probes, sql` union all `)}) probes
      order by reached ${stretch.descending ? ASC : DESC} nulls first, length, place`),
  );
  return rows.map(({ place, span }) => ({ place, span }));
}

export interface Columns {
  readonly createdAt: SQLWrapper;
  readonly id: SQLWrapper;
}

export function ordered(
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

export function merged(branches: readonly SQL[], { descending, limit }: Stretch): SQL {
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

/** Conditions that only the row of a response can answer, each with an index of its own. */
export function ofRow(filter: ResponseFilter): readonly SQL[] {
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

export function ofTime(
  { createdAfter, createdBefore }: ResponseFilter,
  createdAt: SQLWrapper,
): readonly SQL[] {
  return [
    ...(isGiven(createdAfter) ? [sql`${createdAt} > ${toMoment(createdAfter)}::timestamptz`] : []),
    ...(isGiven(createdBefore) ? [sql`${createdAt} < ${toMoment(createdBefore)}::timestamptz`] : []),
  ];
}

export function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}

const FIRST_MOMENT = Date.parse('0001-01-01T00:00:00Z');
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z');

/** A date that Postgres reads as JavaScript writes it; no response was created outside of these. */
function toMoment(time: number): string {
  return new Date(Math.min(Math.max(time, FIRST_MOMENT), LAST_MOMENT)).toISOString();
}
