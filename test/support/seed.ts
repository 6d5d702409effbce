import { randomBytes } from 'node:crypto';
import { createResponse } from './graphql.ts';
import type { TestApp } from './test-app.ts';

export interface Seed {
  readonly createdAt: Date;
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';
  readonly model: string;
  readonly metadata: { readonly [key: string]: string };
  readonly previousResponseId: string | null;
}

export interface SeededResponse extends Seed {
  readonly id: string;
}

/** An id as the engine makes them, but in no order of time. */
export function randomId(prefix: string): string {
  return `${prefix}_${randomBytes(16).toString('hex')}`;
}

/**
 * Stored responses by the hundred: a response that the engine itself has stored is copied, row by row, and given
 * what the test is about. The copied one is deleted at the end, so that there are these only.
 */
export async function seedResponses(
  { url, database: { sql } }: Pick<TestApp, 'url' | 'database'>,
  seeds: readonly Partial<Seed>[],
): Promise<readonly SeededResponse[]> {
  const { id: template } = await createResponse({ url }, { input: { text: 'Hi' } });
  const seeded = seeds.map((seed) => ({
    id: randomId('resp'),
    createdAt: new Date(),
    status: 'completed' as const,
    model: 'test-model',
    metadata: {},
    previousResponseId: null,
    ...seed,
  }));
  const [row] = await sql`select settings, usage, last_sequence from responses where id = ${template}`;
  const rows = seeded.map(({ id, createdAt, status, model, metadata, previousResponseId }) => ({
    id,
    created_at: createdAt.toISOString(),
    status,
    completed_at: status === 'in_progress' ? null : createdAt.toISOString(),
    model,
    settings: JSON.stringify({ ...JSON.parse(row?.['settings']), model }),
    metadata,
    previous_response_id: previousResponseId,
    depth: previousResponseId === null ? 0 : 1,
    usage: status === 'completed' ? row?.['usage'] : null,
    error: status === 'failed' ? JSON.stringify({ code: 'server_error', message: 'It broke.' }) : null,
    incomplete_reason: status === 'incomplete' ? 'max_output_tokens' : null,
    last_sequence: status === 'in_progress' ? null : row?.['last_sequence'],
  }));
  const list = sql.json(rows);
  await sql.begin(async (tx) => {
    await tx`
      insert into responses select made.* from responses r, jsonb_array_elements(${list}) seed,
        lateral jsonb_populate_record(r, seed) made
      where r.id = ${template}`;
    await tx`
      insert into items select made.* from items i, jsonb_array_elements(${list}) seed,
        lateral (select split_part(i.id, '_', 1) || '_' || md5(i.id || (seed->>'id')) as id) fresh,
        lateral jsonb_populate_record(i, jsonb_build_object(
          'id', fresh.id, 'response_id', seed->>'id', 'body', replace(i.body, i.id, fresh.id))) made
      where i.response_id = ${template} and (i.direction = 'input' or seed->>'status' <> 'in_progress')`;
    await tx`
      insert into events select made.* from events e, jsonb_array_elements(${list}) seed,
        lateral jsonb_populate_record(e, jsonb_build_object('response_id', seed->>'id')) made
      where e.response_id = ${template} and (e.first = 0 or seed->>'status' <> 'in_progress')`;
    await tx`delete from events where response_id = ${template}`;
    await tx`delete from responses where id = ${template}`;
  });
  return seeded;
}
