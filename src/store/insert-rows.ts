import type { ItemId, ResponseId } from '../protocol/ids.ts';
import type { Scope } from '../protocol/scope.ts';
import type { Tenants } from './database.ts';

/** The beginning of a run as its rows hold it. */
export interface InsertRow {
  /** This process: it must be alive. */
  readonly processId: string;
  readonly tenant: string;
  readonly id: ResponseId;
  readonly createdAt: string;
  readonly status: string;
  readonly model: string;
  readonly parent: ResponseId | null;
  readonly depth: number;
  readonly settings: string;
  readonly metadata: string;
  readonly background: boolean;
  readonly runBy: string | null;
  readonly key: string | null;
  readonly inputHash: string | null;
  readonly items: readonly InsertItem[];
  readonly answers: readonly ItemId[];
  readonly lastSequence: number;
  readonly events: string;
}

export interface InsertItem {
  readonly id: ItemId;
  readonly type: string;
  readonly callKey: string | null;
  readonly body: string;
}

/** What became of a row, and what stood in its way if it was not inserted: if none of this, its idempotency key. */
export interface Insertion {
  readonly id: ResponseId;
  readonly isInserted: boolean;
  readonly isAlive: boolean;
  readonly hasParent: boolean;
  readonly isOpen: boolean;
}

/**
 * Commits the beginnings of some runs of one process and tenant in one statement: of each all of it or nothing, and nothing at all
 * if it fails. No two of them may have the same key, or answer the same approval request. With `wait: false` a
 * response to continue or an approval request that somebody is just about to change counts as gone.
 * Gives what became of each, in their order.
 *
 * Locks are taken in the order of ids and keys: two such statements do not wait for each other. The limits change
 * nothing: they tell the planner, who keeps its plan for any number of rows, that there are few, to be looked up by id.
 * Each array is unnested by itself: of a table of several, `unnest(a, b)`, Postgres first puts every column into a store
 * of its own, which takes longer than inserting a row.
 */
export function insertRows(
  tenants: Tenants,
  rows: readonly InsertRow[],
  { scope, wait }: { readonly scope: Scope; readonly wait: boolean },
): Promise<readonly Insertion[]> {
  const text = <Key extends keyof InsertRow>(key: Key) => rows.map((row) => row[key]);
  const items = rows.flatMap(({ id, tenant, items }) =>
    items.map((item, position) => ({ ...item, tenant, responseId: id, position })),
  );
  const answers = rows.flatMap(({ id, answers }) => answers.map((request) => ({ request, id })));
  const isPlain = rows.every(
    ({ parent, key, answers }) => parent === null && key === null && answers.length === 0,
  );
  if (isPlain) return insertPlain(tenants, rows, scope);
  return tenants.as(scope, (sql) => {
    const lock = wait ? sql`` : sql`skip locked`;
    return sql<Insertion[]>`
    with alive as (
      select 1 from processes where id = ${rows[0]?.processId ?? ''} and ended_at is null for key share),
    request as (
      select unnest(${text('id')}::text[]) as id, unnest(${text('tenant')}::text[]) as tenant,
        unnest(${text('createdAt')}::text[])::timestamptz as created_at, unnest(${text('status')}::text[]) as status,
        unnest(${text('model')}::text[]) as model, unnest(${text('parent')}::text[]) as parent,
        unnest(${text('depth')}::int[]) as depth, unnest(${text('settings')}::text[]) as settings,
        unnest(${text('metadata')}::text[])::jsonb as metadata, unnest(${rows.map(({ background }) => String(background))}::text[])::boolean as background,
        unnest(${text('runBy')}::text[]) as run_by, unnest(${text('key')}::text[]) as key,
        unnest(${text('inputHash')}::text[]) as input_hash, unnest(${text('lastSequence')}::int[]) as last,
        unnest(${text('events')}::text[]) as events, unnest(${rows.map((_, place) => place)}::int[]) as place
      limit ${rows.length}::int),
    answer as (
      select unnest(${answers.map(({ request }) => request)}::text[]) as request,
        unnest(${answers.map(({ id }) => id)}::text[]) as response_id limit ${answers.length}::int),
    parent as (
      select id, tenant, deleted_at from responses
      where id in (select parent from request) order by id for key share of responses ${lock}),
    asked as (
      select id, tenant, answered_by from items
      where id in (select request from answer) order by id for update of items ${lock}),
    checked as (
      select r.*, exists (select 1 from alive) as is_alive,
        r.parent is null or (r.parent, r.tenant) in (
          select id, tenant from parent where deleted_at is null) as has_parent,
        not exists (
          select 1 from answer a
          where a.response_id = r.id and (a.request, r.tenant) not in (
            select id, tenant from asked where answered_by is null)) as is_open
      from request r),
    allowed as (select * from checked where is_alive and has_parent and is_open),
    kept as (
      insert into idempotency_keys (tenant, key, input_hash, response_id)
      select tenant, key, input_hash, id from allowed where key is not null order by tenant, key
      on conflict do nothing returning response_id),
    inserted as (
      insert into responses (id, tenant, created_at, status, model, previous_response_id, depth, settings, metadata,
        background, process_id)
      select id, tenant, created_at, status, model, parent, depth, settings, metadata, background, run_by
      from allowed where key is null or id in (select response_id from kept)
      on conflict do nothing returning id),
    given as (
      insert into items (id, tenant, response_id, direction, position, type, call_key, body)
      select i.id, i.tenant, i.response_id, 'input', i.position, i.type, i.call_key, i.body
      from (
        select unnest(${items.map(({ id }) => id)}::text[]) as id, unnest(${items.map(({ tenant }) => tenant)}::text[]) as tenant,
          unnest(${items.map(({ responseId }) => responseId)}::text[]) as response_id,
          unnest(${items.map(({ position }) => position)}::int[]) as position,
          unnest(${items.map(({ type }) => type)}::text[]) as type,
          unnest(${items.map(({ callKey }) => callKey)}::text[]) as call_key,
          unnest(${items.map(({ body }) => body)}::text[]) as body) i
      where i.response_id in (select id from inserted)),
    answered as (
      update items set answered_by = a.response_id from answer a
      where items.id = a.request and a.response_id in (select id from inserted)),
    logged as (
      insert into events (tenant, response_id, first, last, body)
      select tenant, id, 0, last, events from request where id in (select id from inserted))
    select id, is_alive as "isAlive", has_parent as "hasParent", is_open as "isOpen",
      id in (select id from inserted) as "isInserted"
    from checked order by place`;
  });
}

/** The same for rows that continue nothing, answer nothing and have no key: little has to be looked at. */
function insertPlain(
  tenants: Tenants,
  rows: readonly InsertRow[],
  scope: Scope,
): Promise<readonly Insertion[]> {
  const text = <Key extends keyof InsertRow>(key: Key) => rows.map((row) => row[key]);
  const items = rows.flatMap(({ id, items }) =>
    items.map((item, position) => ({ ...item, id, item: item.id, position })),
  );
  return tenants.as(
    scope,
    (sql) => sql<Insertion[]>`
    with alive as (
      select 1 from processes where id = ${rows[0]?.processId ?? ''} and ended_at is null for key share),
    request as (
      select unnest(${text('id')}::text[]) as id, unnest(${text('createdAt')}::text[])::timestamptz as created_at,
        unnest(${text('status')}::text[]) as status, unnest(${text('model')}::text[]) as model,
        unnest(${text('depth')}::int[]) as depth, unnest(${text('settings')}::text[]) as settings,
        unnest(${text('metadata')}::text[])::jsonb as metadata, unnest(${rows.map(({ background }) => String(background))}::text[])::boolean as background,
        unnest(${text('runBy')}::text[]) as run_by, unnest(${text('lastSequence')}::int[]) as last,
        unnest(${text('events')}::text[]) as events, unnest(${rows.map((_, place) => place)}::int[]) as place
      limit ${rows.length}::int),
    inserted as (
      insert into responses (id, tenant, created_at, status, model, depth, settings, metadata, background, process_id)
      select id, ${scope.tenant}, created_at, status, model, depth, settings, metadata, background, run_by
      from request where exists (select 1 from alive)
      on conflict do nothing returning id),
    given as (
      insert into items (id, tenant, response_id, direction, position, type, call_key, body)
      select i.id, ${scope.tenant}, i.response_id, 'input', i.position, i.type, i.call_key, i.body
      from (
        select unnest(${items.map(({ item }) => item)}::text[]) as id, unnest(${items.map(({ id }) => id)}::text[]) as response_id,
          unnest(${items.map(({ position }) => position)}::int[]) as position,
          unnest(${items.map(({ type }) => type)}::text[]) as type,
          unnest(${items.map(({ callKey }) => callKey)}::text[]) as call_key,
          unnest(${items.map(({ body }) => body)}::text[]) as body) i
      where i.response_id in (select id from inserted)),
    logged as (
      insert into events (tenant, response_id, first, last, body)
      select ${scope.tenant}, id, 0, last, events from request where id in (select id from inserted))
    select id, exists (select 1 from alive) as "isAlive", true as "hasParent", true as "isOpen",
      id in (select id from inserted) as "isInserted"
    from request order by place`,
  );
}
