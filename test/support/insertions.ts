import { firstEvents } from '../../src/engine/run/number-events.ts';
import { type ItemId, newItemId, newResponseId, type ResponseId } from '../../src/protocol/ids.ts';
import type { Database } from '../../src/store/database.ts';
import { openDatabase } from '../../src/store/database.ts';
import { type InsertOutcome, insertResponse } from '../../src/store/insert-response.ts';
import { modelRequest } from './model-request.ts';
import { createTestDatabase } from './test-database.ts';

const SETTINGS = modelRequest({}, { model: 'm', stream: true }).settings;

export interface Wanted {
  readonly id?: ResponseId;
  readonly model?: string;
  readonly metadata?: { readonly [key: string]: string };
  readonly parent?: ResponseId;
  readonly key?: string;
  readonly answers?: readonly ItemId[];
  readonly processId?: string;
}

/** A database in which the process `here` is alive and `gone` is dead, and through which responses are inserted. */
export async function openInsertions() {
  const made = await createTestDatabase();
  const { sql, url } = made;
  await sql`
    insert into processes (id, expires_at, ended_at) values
      ('here', now() + interval '1 h', null), ('gone', now(), now())`;
  const database = openDatabase(url);
  return {
    sql,
    database,
    url,
    insert: (wanted: Wanted = {}, through: Database = database): Promise<InsertOutcome> => {
      const { id = newResponseId(), processId = 'here', key, parent, answers = [] } = wanted;
      const { model = 'm', metadata = {} } = wanted;
      return insertResponse(
        through,
        { tenant: 'default' },
        {
          processId,
          runBy: processId,
          response: {
            base: {
              id,
              createdAt: Date.now(),
              previousResponseId: parent ?? null,
              settings: { ...SETTINGS, model, metadata },
            },
            depth: parent === undefined ? 0 : 1,
            input: [message(`To ${id}`), message('And this.')],
            firstEvents: firstEvents({ background: false }),
            answers,
            idempotency: key === undefined ? null : { key, inputHash: 'hash' },
          },
        },
      );
    },
    /** The same database; each statement, counted from 1, is run as `wrap` says. */
    wrapped: (wrap: (count: number, run: () => Promise<unknown>) => Promise<unknown>): Database => {
      let count = 0;
      const as: Database['as'] = (scope, statement) =>
        wrap(++count, () => database.as(scope, statement)) as ReturnType<typeof database.as<never>>;
      return { ...database, acrossTenants: database.acrossTenants, as };
    },
    async [Symbol.asyncDispose]() {
      await database.close();
      await made[Symbol.asyncDispose]();
    },
  };
}

function message(text: string) {
  return {
    type: 'message',
    id: newItemId('msg'),
    role: 'user',
    status: 'completed',
    round: null,
    content: [{ type: 'input_text', text }],
  } as const;
}
