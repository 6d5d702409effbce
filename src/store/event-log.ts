import type { ResponseEvent } from '../protocol/events.ts';
import type { ItemId, ResponseId } from '../protocol/ids.ts';
import { fromLogText, toLogText } from '../protocol/log-text.ts';
import type { ResponseState } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Clockwork, Tenants } from './database.ts';
import { callKeyOf } from './items.ts';

/** Events of one response that are committed together, in one row. Numbers follow each other. */
export interface LogBatch {
  readonly tenant: string;
  readonly responseId: ResponseId;
  readonly events: readonly ResponseEvent[];
}

/** How a response ended: committed in one transaction with the batch that holds its terminal event. */
export interface Ending {
  readonly tenant: string;
  readonly responseId: ResponseId;
  readonly state: ResponseState;
  readonly lastSequence: number;
  /** Position of the first output item, after those of the input. */
  readonly firstPosition: number;
  /** Approval requests that may be answered again: their answer here came to nothing. */
  readonly unusedAnswers: readonly ItemId[];
}

/**
 * Commits batches of many responses, and the endings among them, in one statement: all of it or nothing.
 * Done twice with the same batches it changes nothing, so a commit whose outcome is unknown is simply repeated.
 * The lock on the process's row stands against its being declared dead, not against the renewal of its lease. The
 * limits change nothing: they tell the planner, who keeps its plan, that there are few rows, to be looked up by id. As to
 * the arrays, see `insertRows`.
 *
 * @returns false if `processId` has been declared dead. Then nothing was written.
 */
export async function commitEvents(
  { acrossTenants: sql }: Clockwork,
  processId: string,
  { batches, endings }: { readonly batches: readonly LogBatch[]; readonly endings: readonly Ending[] },
): Promise<boolean> {
  const log = {
    tenants: batches.map(({ tenant }) => tenant),
    ids: toLines(batches.map(({ responseId }) => responseId)),
    first: toLines(batches.map(({ events }) => events[0]?.sequenceNumber ?? 0)),
    last: toLines(batches.map(({ events }) => events.at(-1)?.sequenceNumber ?? 0)),
    bodies: toLines(batches.map(({ events }) => toLogText(events))),
  };
  if (endings.length === 0) {
    const [row] = await sql<[{ alive: boolean }]>`
      with alive as (select 1 from processes where id = ${processId} and ended_at is null for key share),
      logged as (
        insert into events (tenant, response_id, first, last, body)
        select unnest(${log.tenants}::text[]), unnest(string_to_array(${log.ids}, E'\\n')),
          unnest(string_to_array(${log.first}, E'\\n')::int[]), unnest(string_to_array(${log.last}, E'\\n')::int[]),
          unnest(string_to_array(${log.bodies}, E'\\n')) where exists (select 1 from alive)
        on conflict (response_id, first) do nothing)
      select exists (select 1 from alive) as alive`;
    return row.alive;
  }

  const end = toColumns(endings);
  const [row] = await sql<[{ alive: boolean }]>`
    with alive as (select 1 from processes where id = ${processId} and ended_at is null for key share),
    logged as (
      insert into events (tenant, response_id, first, last, body)
      select unnest(${log.tenants}::text[]), unnest(string_to_array(${log.ids}, E'\\n')),
        unnest(string_to_array(${log.first}, E'\\n')::int[]), unnest(string_to_array(${log.last}, E'\\n')::int[]),
        unnest(string_to_array(${log.bodies}, E'\\n')) where exists (select 1 from alive)
      on conflict (response_id, first) do nothing),
    ended as (
      update responses r set status = e.status, completed_at = e.completed_at, usage = e.usage, error = e.error,
        incomplete_reason = e.reason, last_sequence = e.last_sequence
      from (
        select unnest(${end.ids}::text[]) as id, unnest(${end.statuses}::text[]) as status,
          unnest(${end.times}::text[])::timestamptz as completed_at, unnest(${end.usages}::text[]) as usage,
          unnest(${end.errors}::text[]) as error, unnest(${end.reasons}::text[]) as reason,
          unnest(${end.last}::int[]) as last_sequence
        limit ${end.ids.length}::int) e
      where r.id = e.id and r.completed_at is null and exists (select 1 from alive)),
    kept as (
      insert into items (id, tenant, response_id, direction, position, type, call_key, body)
      select i.id, i.tenant, i.response_id, 'output', i.position, i.type, i.call_key, i.body
      from (
        select unnest(${end.items.ids}::text[]) as id, unnest(${end.items.tenants}::text[]) as tenant,
          unnest(${end.items.responses}::text[]) as response_id, unnest(${end.items.positions}::int[]) as position,
          unnest(${end.items.types}::text[]) as type, unnest(${end.items.callKeys}::text[]) as call_key,
          unnest(${end.items.bodies}::text[]) as body) i
      where exists (select 1 from alive)
      on conflict (id) do nothing),
    reopened as (
      update items i set answered_by = null
      from (
        select unnest(${end.unused.requests}::text[]) as request, unnest(${end.unused.responses}::text[]) as response
        limit ${end.unused.requests.length}::int) u
      where i.id = u.request and i.answered_by = u.response and exists (select 1 from alive))
    select exists (select 1 from alive) as alive`;
  return row.alive;
}

/**
 * A column of what holds no line break: ids, numbers and JSON. Of the array's own form, in which each quote has to be
 * marked, both sides have more to do: on the path of a delta that counts.
 */
function toLines(values: readonly (string | number)[]): string {
  return values.join('\n');
}

function toColumns(endings: readonly Ending[]) {
  const items = endings.flatMap((ending) =>
    ending.state.output.map((item, index) => ({ ending, item, position: ending.firstPosition + index })),
  );
  const unused = endings.flatMap(({ responseId, unusedAnswers }) =>
    unusedAnswers.map((request) => ({ request, responseId })),
  );
  return {
    unused: {
      requests: unused.map(({ request }) => request),
      responses: unused.map(({ responseId }) => responseId),
    },
    ids: endings.map(({ responseId }) => responseId),
    statuses: endings.map(({ state }) => state.status),
    times: endings.map(({ state }) => new Date(state.completedAt ?? Date.now()).toISOString()),
    usages: endings.map(({ state }) => state.usage && JSON.stringify(state.usage)),
    errors: endings.map(({ state }) => state.error && JSON.stringify(state.error)),
    reasons: endings.map(({ state }) => state.incompleteReason),
    last: endings.map(({ lastSequence }) => lastSequence),
    items: {
      ids: items.map(({ item }) => item.id),
      tenants: items.map(({ ending }) => ending.tenant),
      responses: items.map(({ ending }) => ending.responseId),
      positions: items.map(({ position }) => position),
      types: items.map(({ item }) => item.type),
      callKeys: items.map(({ item }) => callKeyOf(item)),
      bodies: items.map(({ item }) => JSON.stringify(item)),
    },
  };
}

/** What of a log comes after a number, and what the response was at that very moment: one statement tells both. */
export interface LogPage {
  /** Oldest first; the number of the first one follows directly. */
  readonly events: readonly ResponseEvent[];
  /** True if the page was full: there may be more. */
  readonly isCut: boolean;
  /** Null if there is no such response any more. */
  readonly response: {
    /** Number of the terminal event; null while in flight. */
    readonly lastSequence: number | null;
    /** True once the log has been removed for its age. */
    readonly isTrimmed: boolean;
  } | null;
}

/** A long log is followed in pages: of so many rows, and about so many bytes, but at least one row. */
const PAGE_ROWS = 500;
const PAGE_BYTES = 256 * 1024;

/**
 * The next page of a log, for whoever has everything up to the number `after`. Whoever follows a response that is
 * deleted in flight is told how it ended: its log is still there for a while.
 */
export async function readLog(
  tenants: Tenants,
  scope: Scope,
  { responseId, after }: { readonly responseId: ResponseId; readonly after: number },
): Promise<LogPage> {
  const rows = await tenants.as(
    scope,
    (sql) => sql<
      { exists: boolean; lastSequence: number | null; trimmed: boolean; found: number; body: string | null }[]
    >`
    with response as (
      select last_sequence, trimmed_at is not null as trimmed from responses
      where id = ${responseId} and tenant = ${scope.tenant}
        and (deleted_at is null or trimmed_at is null)),
    missed as (
      select first, body from events
      where response_id = ${responseId} and tenant = ${scope.tenant} and last > ${after} and first >= coalesce(
        (select max(first) from events where response_id = ${responseId} and first <= ${after + 1}), 0)
      order by first limit ${PAGE_ROWS}),
    sized as (
      select first, body, sum(octet_length(body)) over (order by first) - octet_length(body) as before from missed)
    select r.trimmed is not null as exists, r.last_sequence as "lastSequence", r.trimmed,
      (select count(*) from missed)::int as found, s.body
    from (select 1) one left join response r on true left join sized s on s.before < ${PAGE_BYTES}
    order by s.first`,
  );
  const bodies = rows.flatMap(({ body }) => body ?? []);
  const [{ exists, lastSequence, trimmed, found } = NOTHING] = rows;
  return {
    events: bodies.flatMap(fromLogText).filter((event) => event.sequenceNumber > after),
    isCut: found === PAGE_ROWS || found > bodies.length,
    response: exists ? { lastSequence, isTrimmed: trimmed } : null,
  };
}

const NOTHING = { exists: false, lastSequence: null, trimmed: false, found: 0 };

/** The number of the last event that a response has had so far, trimmed or not; null if there is no such response. */
export async function lastNumber(tenants: Tenants, scope: Scope, id: ResponseId): Promise<number | null> {
  const [row] = await tenants.as(
    scope,
    (sql) => sql<{ last: number }[]>`
    select coalesce(r.last_sequence, logged.last, -1) as last
    from responses r left join lateral (
      select e.last from events e where e.response_id = r.id order by e.first desc limit 1) logged on true
    where r.id = ${id} and r.tenant = ${scope.tenant} and r.deleted_at is null`,
  );
  return row?.last ?? null;
}

/** The whole logs of some responses, in one statement. A response without a log is absent. */
export async function wholeLogs(
  tenants: Tenants,
  scope: Scope,
  ids: readonly ResponseId[],
): Promise<ReadonlyMap<ResponseId, readonly ResponseEvent[]>> {
  if (ids.length === 0) return new Map();
  const rows = await tenants.as(
    scope,
    (sql) => sql<{ id: ResponseId; body: string }[]>`
    select response_id as id, body from events
    where response_id = any(${ids}::text[]) and tenant = ${scope.tenant} order by response_id, first`,
  );
  const logs = new Map<ResponseId, ResponseEvent[]>();
  for (const { id, body } of rows) {
    const log = logs.get(id) ?? [];
    log.push(...fromLogText(body));
    logs.set(id, log);
  }
  return logs;
}
