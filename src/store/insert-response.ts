import { setTimeout as delay } from 'node:timers/promises';
import type { ResponseEvent } from '../protocol/events.ts';
import type { ItemId, ResponseId } from '../protocol/ids.ts';
import type { Item } from '../protocol/items.ts';
import type { ResponseBase } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import { Gatherer } from '../util/gatherer.ts';
import { isDatabaseAway, isOutcomeUnknown, isPoolClosed, type Tenants } from './database.ts';
import { type InsertRow, insertRows } from './insert-rows.ts';
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
 * Commits the beginning of a run, all of it or nothing, in one statement, which those that are asked for at about the
 * same moment share: a transaction of several would be held open between them, and the client breaks when its
 * connection does then. What fails there, or would have to wait for a lock, is tried again by itself. Once a connection has broken under it, it may have
 * been committed, and a response that nobody runs would stay in flight: so it is tried again, which changes nothing if
 * it was, until its outcome is known.
 */
export async function insertResponse(
  tenants: Tenants,
  scope: Scope,
  insertion: Insertion,
): Promise<InsertOutcome> {
  const row = toRow(scope, insertion);
  const together = () => gathererOf(tenants).add(row);
  const alone = () => insertAlone(tenants, row);
  let isUnknown = false;
  for (let attempt: () => Promise<InsertOutcome | Unsettled> = together; ; attempt = alone) {
    try {
      const outcome = await attempt();
      if (typeof outcome === 'string') return outcome;
      isUnknown = isOutcomeUnknown(outcome.error);
    } catch (error) {
      isUnknown ||= isOutcomeUnknown(error);
      if (!isUnknown || !isDatabaseAway(error) || isPoolClosed(error)) throw error;
      await delay(RETRY_MS);
    }
  }
}

/** What came of one that has to be tried by itself: its statement failed, or it was held up if `error` is null. */
interface Unsettled {
  readonly error: unknown;
}

/** More statements would not do more work, and fewer rows would travel in each. */
const AT_ONCE = 2;

/** Of one statement: its rows, and about their characters. */
const MAX_ROWS = 64;
const MAX_SIZE = 1024 * 1024;

const gatherers = new WeakMap<Tenants, Gatherer<InsertRow, InsertOutcome | Unsettled>>();

/** Those who insert into one database share its statements. */
function gathererOf(tenants: Tenants): Gatherer<InsertRow, InsertOutcome | Unsettled> {
  const known = gatherers.get(tenants);
  if (known !== undefined) return known;
  const gatherer = new Gatherer({
    atOnce: AT_ONCE,
    fits,
    work: (rows: readonly InsertRow[]) => insertTogether(tenants, rows),
  });
  gatherers.set(tenants, gatherer);
  return gatherer;
}

/** Those that want the same key or answer the same request go one after the other: the second sees what the first did. */
function fits(row: InsertRow, others: readonly InsertRow[]): boolean {
  if (others.length >= MAX_ROWS) return false;
  const size = others.reduce((sum, other) => sum + sizeOf(other), sizeOf(row));
  return size <= MAX_SIZE && !others.some((other) => isAtOdds(row, other));
}

function isAtOdds(one: InsertRow, other: InsertRow): boolean {
  return (
    one.tenant !== other.tenant ||
    one.processId !== other.processId ||
    (one.key !== null && one.key === other.key) ||
    one.answers.some((answer) => other.answers.includes(answer))
  );
}

function sizeOf({ settings, events, items }: InsertRow): number {
  return items.reduce((sum, { body }) => sum + body.length, settings.length + events.length);
}

async function insertTogether(
  tenants: Tenants,
  rows: readonly InsertRow[],
): Promise<readonly (InsertOutcome | Unsettled)[]> {
  try {
    const outcomes = await insertAll(tenants, rows, { wait: false });
    return outcomes.map((outcome) =>
      outcome === 'parent_gone' || outcome === 'approval_taken' ? HELD_UP : outcome,
    );
  } catch (error) {
    return rows.map(() => ({ error }));
  }
}

/** Or gone, which waiting tells. */
const HELD_UP: Unsettled = { error: null };

async function insertAlone(tenants: Tenants, row: InsertRow): Promise<InsertOutcome> {
  const [outcome] = await insertAll(tenants, [row], { wait: true });
  if (outcome === undefined) throw new Error('The database did not say what became of a response.');
  return outcome;
}

/** One outcome for each row, in their order. */
async function insertAll(
  tenants: Tenants,
  rows: readonly InsertRow[],
  locking: { readonly wait: boolean },
): Promise<readonly InsertOutcome[]> {
  const scope = { tenant: rows[0]?.tenant ?? '' };
  const insertions = await insertRows(tenants, rows, { scope, ...locking });
  const missing = insertions.filter(({ isInserted }) => !isInserted).map(({ id }) => id);
  const earlier = await insertedEarlier(tenants, scope, missing);
  return insertions.map(({ id, isInserted, isAlive, hasParent, isOpen }) => {
    if (isInserted || earlier.has(id)) return 'inserted';
    if (!isAlive) return 'fenced';
    if (!hasParent) return 'parent_gone';
    return isOpen ? 'key_taken' : 'approval_taken';
  });
}

/** Those of them that are there: by a try of which nobody learnt. */
async function insertedEarlier(
  tenants: Tenants,
  scope: Scope,
  ids: readonly ResponseId[],
): Promise<ReadonlySet<ResponseId>> {
  if (ids.length === 0) return new Set();
  const rows = await tenants.as(
    scope,
    (sql) => sql<{ id: ResponseId }[]>`
      select id from responses where id = any(${ids}::text[]) and tenant = ${scope.tenant}`,
  );
  return new Set(rows.map(({ id }) => id));
}

function toRow({ tenant }: Scope, { processId, runBy, response }: Insertion): InsertRow {
  const { base, depth, input, firstEvents, answers, idempotency } = response;
  const { metadata, ...settings } = base.settings;
  return {
    processId,
    tenant,
    id: base.id,
    createdAt: new Date(base.createdAt).toISOString(),
    status: settings.background ? 'queued' : 'in_progress',
    model: settings.model,
    parent: base.previousResponseId,
    depth,
    settings: JSON.stringify(settings),
    metadata: JSON.stringify(metadata),
    background: settings.background,
    runBy,
    key: idempotency?.key ?? null,
    inputHash: idempotency?.inputHash ?? null,
    items: input.map((item) => ({
      id: item.id,
      type: item.type,
      callKey: callKeyOf(item),
      body: JSON.stringify(item),
    })),
    answers,
    lastSequence: firstEvents.length - 1,
    events: JSON.stringify(firstEvents),
  };
}
