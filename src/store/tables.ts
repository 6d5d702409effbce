import type { SQL } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { ItemId, ResponseId } from '../protocol/ids.ts';
import type { Item, ItemType } from '../protocol/items.ts';
import type { ResponseSettings } from '../protocol/request.ts';
import type { IncompleteReason, ResponseError, ResponseStatus } from '../protocol/response.ts';
import type { Usage } from '../protocol/usage.ts';
import {
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgPolicy,
  pgTable,
  primaryKey,
  sql,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from './drizzle.ts';

/**
 * JSON kept as text: written by this program and read by it alone, and `jsonb` would refuse what strings may
 * hold (NUL characters, lone surrogates).
 */
const json = <Data>(name: string) =>
  customType<{ data: Data; driverData: string }>({
    dataType: () => 'text',
    toDriver: (value) => JSON.stringify(value),
    fromDriver: (value) => JSON.parse(value),
  })(name);

/** Milliseconds: what JavaScript's dates hold, so that a cursor made from a date finds its row again. */
const time = (name: string) => timestamp(name, { precision: 3, withTimezone: true, mode: 'date' });

/**
 * What acts for a caller sees and writes the rows of the caller's tenant alone, whatever its statement says. The owner
 * of the tables, as whom this program looks after all tenants, is not held to it.
 */
const ofTenant = () => policy(sql`tenant = current_setting('app.tenant', true)`);

const policy = (condition: SQL) => pgPolicy('of_tenant', { using: condition, withCheck: condition });

/** One row per running server: its lease. A run in flight names the process that owns it. */
export const processes = pgTable('processes', {
  id: text('id').primaryKey(),
  startedAt: time('started_at').notNull().defaultNow(),
  expiresAt: time('expires_at').notNull(),
  /** Set by a clean stop, or by whoever declares the process dead. From then on it can commit nothing. */
  endedAt: time('ended_at'),
});

export const responses = pgTable(
  'responses',
  {
    id: text('id').$type<ResponseId>().primaryKey(),
    tenant: text('tenant').notNull(),
    createdAt: time('created_at').notNull(),
    status: text('status').$type<ResponseStatus>().notNull(),
    completedAt: time('completed_at'),
    model: text('model').notNull(),
    /** A continued response is never removed while this one stands. */
    previousResponseId: text('previous_response_id')
      .$type<ResponseId>()
      .references((): AnyPgColumn => responses.id),
    /** Turns before this one in its branch. */
    depth: integer('depth').notNull(),
    settings: json<Omit<ResponseSettings, 'metadata'>>('settings').notNull(),
    metadata: jsonb('metadata').$type<{ readonly [key: string]: string }>().notNull(),
    usage: json<Usage>('usage'),
    error: json<ResponseError>('error'),
    incompleteReason: text('incomplete_reason').$type<IncompleteReason>(),
    /** Number of the terminal event; null while in flight, when the log alone knows. */
    lastSequence: integer('last_sequence'),
    background: boolean('background').notNull().default(false),
    /** Who runs it. Null while nobody does: queued, or handed back by a process that stopped. */
    processId: text('process_id'),
    /** How often it was taken over from a process that died. */
    takeOvers: integer('take_overs').notNull().default(0),
    /** Somebody wants it cancelled. Its owner looks for that; if that one is dead, whoever comes after it ends it so. */
    cancelRequestedAt: time('cancel_requested_at'),
    /** When an instance last had somebody who follows it. */
    followedAt: time('followed_at'),
    /** When the rows of its log were removed: from then on its stream is a snapshot and the last event. */
    trimmedAt: time('trimmed_at'),
    /** A deleted response stays for as long as continuations need its items. */
    deletedAt: time('deleted_at'),
  },
  (table) => [
    ofTenant(),
    index('responses_newest').on(table.tenant, table.createdAt, table.id).where(sql`deleted_at is null`),
    index('responses_by_status')
      .on(table.tenant, table.status, table.createdAt, table.id)
      .where(sql`deleted_at is null`),
    index('responses_by_model')
      .on(table.tenant, table.model, table.createdAt, table.id)
      .where(sql`deleted_at is null`),
    index('responses_continuing')
      .on(table.previousResponseId, table.createdAt, table.id)
      .where(sql`previous_response_id is not null`),
    index('responses_roots')
      .on(table.tenant, table.createdAt, table.id)
      .where(sql`deleted_at is null and previous_response_id is null`),
    index('responses_not_roots')
      .on(table.tenant, table.createdAt, table.id)
      .where(sql`deleted_at is null and previous_response_id is not null`),
    index('responses_in_background')
      .on(table.tenant, table.background, table.createdAt, table.id)
      .where(sql`deleted_at is null`),
    // Not by `completed_at`: of one response that is looked up by its id and has not ended, the planner would read all
    // of this small index, and with it what has left it since the last vacuum.
    index('responses_owned')
      .on(table.processId, table.createdAt)
      .where(sql`status in ('queued', 'in_progress')`),
    index('responses_unwanted')
      .on(table.processId)
      .where(sql`completed_at is null and cancel_requested_at is not null`),
    index('responses_to_purge').on(table.deletedAt).where(sql`deleted_at is not null and trimmed_at is null`),
    index('responses_to_trim')
      .on(table.completedAt)
      .where(sql`trimmed_at is null and completed_at is not null`),
  ],
);

/**
 * The responses that have a pair of key and value in their metadata and are not deleted, by the time of their
 * creation. An index of `metadata` itself would find them in no order: every match would be read and sorted for one page.
 *
 * Triggers of `responses` keep it, so that whoever writes a response, an earlier version of this program too, keeps it.
 */
export const responseMetadata = pgTable(
  'response_metadata',
  {
    /** As the function `metadata_pairs` of the database makes it: a hash of the tenant, then one of tenant, key and value. */
    pair: uuid('pair').notNull(),
    createdAt: time('created_at').notNull(),
    responseId: text('response_id').$type<ResponseId>().notNull(),
  },
  (table) => [
    // The pairs of a tenant lie together: in a walk along one of them this costs nothing.
    policy(sql`pair between (select tenant_pair(current_setting('app.tenant', true), '00'))
      and (select tenant_pair(current_setting('app.tenant', true), 'ff'))`),
    primaryKey({ columns: [table.pair, table.createdAt, table.responseId] }),
  ],
);

/** What went into a response (its own input only) and what came out of it. */
export const items = pgTable(
  'items',
  {
    id: text('id').$type<ItemId>().primaryKey(),
    tenant: text('tenant').notNull(),
    responseId: text('response_id')
      .$type<ResponseId>()
      .notNull()
      .references(() => responses.id, { onDelete: 'cascade' }),
    direction: text('direction').$type<'input' | 'output'>().notNull(),
    /** Counts through the input, then on through the output. */
    position: integer('position').notNull(),
    type: text('type').$type<ItemType>().notNull(),
    /** As `toCallKey` writes it: a call id may hold characters that a text column does not. */
    callKey: text('call_key'),
    body: json<Item>('body').notNull(),
    /**
     * Of an approval request: the response whose input answers it. Set in the statement that commits that response,
     * so that of two answers at one moment one is refused; taken back if the answer came to nothing.
     */
    answeredBy: text('answered_by').$type<ResponseId>(),
  },
  (table) => [
    ofTenant(),
    uniqueIndex('items_in_order').on(table.responseId, table.position),
    index('items_answered').on(table.answeredBy).where(sql`answered_by is not null`),
  ],
);

/**
 * The event log. A row holds a batch of events, numbered `first` to `last`. No foreign key: its check would
 * cost more than the insert, and rows of the log are written only by the owner of a response that stands.
 */
export const events = pgTable(
  'events',
  {
    tenant: text('tenant').notNull(),
    responseId: text('response_id').$type<ResponseId>().notNull(),
    first: integer('first').notNull(),
    last: integer('last').notNull(),
    body: text('body').notNull(),
  },
  (table) => [ofTenant(), primaryKey({ columns: [table.responseId, table.first] })],
);

/** Outlives the response, so that a key is never taken for new again. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    tenant: text('tenant').notNull(),
    key: text('key').notNull(),
    inputHash: text('input_hash').notNull(),
    responseId: text('response_id').$type<ResponseId>().notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (table) => [ofTenant(), primaryKey({ columns: [table.tenant, table.key] })],
);

/** Who may call, with `AUTH=keys`. Of a key itself only its hash is kept. */
export const apiKeys = pgTable('api_keys', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  tenant: text('tenant').notNull(),
  /** SHA-256 of the whole key, in hex. */
  hash: text('hash').notNull().unique(),
  createdAt: time('created_at').notNull().defaultNow(),
  expiresAt: time('expires_at'),
  revokedAt: time('revoked_at'),
  /** To the minute. */
  lastUsedAt: time('last_used_at'),
});
