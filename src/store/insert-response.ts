import { setTimeout as delay } from 'node:timers/promises';
import type { ResponseEvent } from '../protocol/events.ts';
import type { ItemId } from '../protocol/ids.ts';
import type { Item } from '../protocol/items.ts';
import type { ResponseBase } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import { type Database, isDatabaseAway, isOutcomeUnknown, isPoolClosed } from './database.ts';
import { callKeyOf } from './items.ts';

export interface NewResponse {
  readonly base: ResponseBase;
  readonly depth: number;
  readonly input: readonly Item[];
  /** The events up to ResponseInProgress, or to ResponseQueued for one in the background. */
  readonly firstEvents: readonly ResponseEvent[];
  /** The approval requests that the input answers. */
  readonly answers: readonly ItemId[];
  readonly idempotency: { readonly key: string; readonly inputHash: string } | null;
}

/**
 * - `inserted`: the response, its input, its first events and its key are committed
 * - `key_taken`: another request has used the idempotency key; nothing was written
 * - `parent_gone`: the response to continue has been deleted meanwhile; nothing was written
 * - `approval_taken`: another response has answered one of the approval requests; nothing was written
 * - `fenced`: this process has been declared dead; nothing was written
 */
export type InsertOutcome = 'inserted' | 'key_taken' | 'parent_gone' | 'approval_taken' | 'fenced';

interface Insertion {
  /** This process: it must be alive. */
  readonly processId: string;
  /** The process that runs it; null for any that has room. */
  readonly runBy: string | null;
  readonly response: NewResponse;
}

/** Between two tries to learn the outcome of a commit. In milliseconds. */
const RETRY_MS = 250;

/**
 * Commits the beginning of a run in one statement, all of it or nothing: a transaction of several would be held
 * open between them, and the client breaks when its connection does then. Once a connection has broken under it,
 * it may have been committed, and a response that nobody runs would stay in flight: so it is tried again, which
 * changes nothing if it was, until its outcome is known.
 */
export async function insertResponse(
  database: Database,
  scope: Scope,
  insertion: Insertion,
): Promise<InsertOutcome> {
  let isUnknown = false;
  for (;;) {
    try {
      return await insertOnce(database, scope, insertion);
    } catch (error) {
      isUnknown ||= isOutcomeUnknown(error);
      if (!isUnknown || !isDatabaseAway(error) || isPoolClosed(error)) throw error;
      await delay(RETRY_MS);
    }
  }
}

async function insertOnce(
  { sql }: Database,
  { tenant }: Scope,
  { processId, runBy, response }: Insertion,
): Promise<InsertOutcome> {
  const { base, depth, input, firstEvents, answers, idempotency } = response;
  const { metadata, ...settings } = base.settings;
  const items = {
    ids: input.map(({ id }) => id),
    types: input.map(({ type }) => type),
    callKeys: input.map(callKeyOf),
    bodies: input.map((item) => JSON.stringify(item)),
  };
  const [row] = await sql<[{ isAlive: boolean; hasParent: boolean; isOpen: boolean; isInserted: boolean }]>`
    with alive as (select 1 from processes where id = ${processId} and ended_at is null for key share),
    parent as (
      select 1 from responses
      where id = ${base.previousResponseId} and tenant = ${tenant} and deleted_at is null for key share),
    asked as (
      select id from items
      where id = any(${answers}::text[]) and tenant = ${tenant} and answered_by is null order by id for update),
    allowed as (
      select 1 where exists (select 1 from alive) and (select count(*) from asked) = ${answers.length}::int
        and (${base.previousResponseId}::text is null or exists (select 1 from parent))),
    kept as (
      insert into idempotency_keys (tenant, key, input_hash, response_id)
      select ${tenant}, ${idempotency?.key ?? ''}, ${idempotency?.inputHash ?? ''}, ${base.id}
      from allowed where ${idempotency !== null}
      on conflict do nothing returning 1),
    inserted as (
      insert into responses (id, tenant, created_at, status, model, previous_response_id, depth, settings, metadata,
        background, process_id)
      select ${base.id}, ${tenant}, ${new Date(base.createdAt).toISOString()}::text::timestamptz,
        ${settings.background ? 'queued' : 'in_progress'}, ${settings.model}, ${base.previousResponseId}::text, ${depth}::int, ${JSON.stringify(settings)},
        ${JSON.stringify(metadata)}::text::jsonb, ${settings.background}::boolean, ${runBy}::text
      from allowed where ${idempotency === null} or exists (select 1 from kept)
      on conflict do nothing returning 1),
    given as (
      insert into items (id, tenant, response_id, direction, position, type, call_key, body)
      select i.id, ${tenant}, ${base.id}, 'input', i.position - 1, i.type, i.call_key, i.body
      from unnest(${items.ids}::text[], ${items.types}::text[], ${items.callKeys}::text[], ${items.bodies}::text[])
        with ordinality as i (id, type, call_key, body, position)
      where exists (select 1 from inserted)),
    answered as (
      update items set answered_by = ${base.id}
      where id in (select id from asked) and exists (select 1 from inserted)),
    logged as (
      insert into events (tenant, response_id, first, last, body)
      select ${tenant}, ${base.id}, 0, ${firstEvents.length - 1}::int, ${JSON.stringify(firstEvents)}
      where exists (select 1 from inserted))
    select exists (select 1 from alive) as "isAlive", exists (select 1 from parent) as "hasParent",
      (select count(*) from asked) = ${answers.length}::int as "isOpen",
      exists (select 1 from inserted) as "isInserted"`;
  if (row.isInserted) return 'inserted';
  const earlier = await sql`select 1 from responses where id = ${base.id}`;
  if (earlier.length > 0) return 'inserted'; // by a try of which nobody learnt
  if (!row.isAlive) return 'fenced';
  if (base.previousResponseId !== null && !row.hasParent) return 'parent_gone';
  return row.isOpen ? 'key_taken' : 'approval_taken';
}
