import { vi } from 'vitest';
import { createResponse, readResponse, type Target } from './graphql.ts';
import type { TestApp } from './test-app.ts';
import type { TestDatabase } from './test-database.ts';

type Input = { readonly [name: string]: unknown };

/** Asks for a response in the background, and gives its id. */
export async function queue(app: Target, input: Input = {}): Promise<string> {
  const { id, status } = await createResponse(app, { input: { text: 'Hi' }, background: true, ...input });
  if (status !== 'QUEUED') throw new Error(`It is ${status}.`);
  return id;
}

/** The response, once it has ended. */
export async function endOf(app: { readonly url: string }, id: string) {
  return vi.waitUntil(
    async () => {
      const response = await readResponse(app, id);
      return ['QUEUED', 'IN_PROGRESS'].includes(response.status) ? null : response;
    },
    { interval: 10, timeout: 10_000 },
  );
}

/** Resolves when the log of a response holds these words. */
export async function logged({ database: { sql } }: Pick<TestApp, 'database'>, id: string, words: string) {
  await vi.waitUntil(
    async () => {
      const [row] = await sql`
        select string_agg(body, '' order by first) as log from events where response_id = ${id}`;
      return String(row?.['log']).includes(words);
    },
    { interval: 10, timeout: 5000 },
  );
}

/** What the row of a response says of who runs it. */
export async function custody({ database: { sql } }: { readonly database: TestDatabase }, id: string) {
  const [row] = await sql<{ status: string; owner: string | null; takeOvers: number }[]>`
    select status, process_id as owner, take_overs as "takeOvers" from responses where id = ${id}`;
  if (row === undefined) throw new Error(`There is no response ${id}.`);
  return row;
}
