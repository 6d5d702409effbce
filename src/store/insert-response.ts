import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { ResponseEvent } from '../protocol/events.ts';
import type { Item } from '../protocol/items.ts';
import type { ResponseBase } from '../protocol/response.ts';
import type { Scope } from '../protocol/scope.ts';
import { type Database, isDatabaseAway, isOutcomeUnknown, isPoolClosed } from './database.ts';
import { toCallKey } from './items.ts';
import { events, idempotencyKeys, items, responses } from './tables.ts';

export interface NewResponse {
  readonly base: ResponseBase;
  readonly depth: number;
  readonly input: readonly Item[];
  /** The events up to ResponseInProgress. */
  readonly firstEvents: readonly ResponseEvent[];
  readonly idempotency: { readonly key: string; readonly inputHash: string } | null;
}

/**
 * - `inserted`: the response, its input, its first events and its key are committed
 * - `key_taken`: another request has used the idempotency key; nothing was written
 * - `parent_gone`: the response to continue has been deleted meanwhile; nothing was written
 * - `fenced`: this process has been declared dead; nothing was written
 */
export type InsertOutcome = 'inserted' | 'key_taken' | 'parent_gone' | 'fenced';

interface Insertion {
  readonly processId: string;
  readonly response: NewResponse;
}

/** Between two tries to learn the outcome of a commit. In milliseconds. */
const RETRY_MS = 250;

/**
 * Commits the beginning of a run in one transaction. Once a connection has broken under it, it may have been
 * committed, and a response that nobody runs would stay in flight: then it is tried again, which changes nothing
 * if it was, until its outcome is known.
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
  { orm }: Database,
  scope: Scope,
  { processId, response }: Insertion,
): Promise<InsertOutcome> {
  const { base, depth, input, firstEvents, idempotency } = response;
  const { metadata, ...settings } = base.settings;
  const { tenant } = scope;
  return orm
    .transaction(async (tx): Promise<InsertOutcome> => {
      const alive = await tx.execute(
        sql`select 1 from processes where id = ${processId} and ended_at is null for key share`,
      );
      if (alive.length === 0) throw new Refused('fenced');
      if (base.previousResponseId !== null) {
        const parent = await tx.execute(
          sql`select 1 from responses where id = ${base.previousResponseId} and tenant = ${tenant}
            and deleted_at is null for key share`,
        );
        if (parent.length === 0) throw new Refused('parent_gone');
      }
      const row = {
        id: base.id,
        tenant,
        createdAt: new Date(base.createdAt),
        status: 'in_progress' as const,
        model: settings.model,
        previousResponseId: base.previousResponseId,
        depth,
        settings,
        metadata,
        processId,
      };
      const fresh = await tx.insert(responses).values(row).onConflictDoNothing().returning({ id: responses.id });
      if (fresh.length === 0) return 'inserted'; // by the try before this one
      if (idempotency !== null) {
        const used = { tenant, ...idempotency, responseId: base.id };
        const kept = await tx.insert(idempotencyKeys).values(used).onConflictDoNothing().returning();
        if (kept.length === 0) throw new Refused('key_taken');
      }
      const rows = input.map((item, position) => ({
        id: item.id,
        tenant,
        responseId: base.id,
        direction: 'input' as const,
        position,
        type: item.type,
        callKey: 'callId' in item ? toCallKey(item.callId) : null,
        body: item,
      }));
      // A statement takes at most 65,535 parameters.
      for (let at = 0; at < rows.length; at += 5000) await tx.insert(items).values(rows.slice(at, at + 5000));
      const last = firstEvents.length - 1;
      const body = JSON.stringify(firstEvents);
      await tx.insert(events).values({ tenant, responseId: base.id, first: 0, last, body });
      return 'inserted';
    })
    .catch((error: unknown) => {
      if (error instanceof Refused) return error.outcome;
      throw error;
    });
}

/** Thrown inside the transaction, so that it is rolled back. */
class Refused extends Error {
  readonly outcome: Exclude<InsertOutcome, 'inserted'>;

  constructor(outcome: Exclude<InsertOutcome, 'inserted'>) {
    super(outcome);
    this.outcome = outcome;
  }
}
