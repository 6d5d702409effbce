import { expect } from 'vitest';
import { ask, createResponse } from './graphql.ts';
import type { TestApp } from './test-app.ts';

const DELETE = `mutation Delete($id: ID!) {
  deleteResponse(input: { id: $id }) { deletedId errors { __typename code message path } }
}`;

/** The payload of deleteResponse. */
export async function remove(app: TestApp, id: string) {
  return (await ask(app, DELETE, { id })).deleteResponse;
}

export async function expectDeleted(app: TestApp, id: string): Promise<void> {
  expect(await remove(app, id)).toEqual({ deletedId: id, errors: [] });
}

/** A branch of so many turns, from its root on. */
export async function branchOf(
  app: TestApp,
  length: number,
  previousResponseId: string | null = null,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let turn = 1; turn <= length; turn++) {
    const previous = ids.at(-1) ?? previousResponseId;
    const response = await createResponse(app, { input: { text: `U${turn}` }, previousResponseId: previous });
    ids.push(response.id);
  }
  return ids;
}

/** Which of these still have rows, by their places in the list, table by table. */
export async function rowsOf({ database: { sql } }: TestApp, ids: readonly string[]) {
  const found = async (table: string, column: string) => {
    const rows = await sql`
      select distinct ${sql(column)} as id from ${sql(table)} where ${sql(column)} in ${sql(ids)}`;
    return rows.map(({ id }) => ids.indexOf(id)).sort();
  };
  return {
    responses: await found('responses', 'id'),
    items: await found('items', 'response_id'),
    events: await found('events', 'response_id'),
  };
}
