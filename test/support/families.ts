import { createHash } from 'node:crypto';
import { expectDeleted } from './branches.ts';
import { calls, chunk, hangsAfter, says, streams, USAGE } from './chat-server.ts';
import { createResponse } from './graphql.ts';
import { startMcpServer } from './mcp-server.ts';
import { outputFor, pendingItems } from './run.ts';
import type { SearchingApp } from './searching-app.ts';
import { answer, mcpAsking } from './tools.ts';

/** What members of a family that are listed have among their metadata. */
export const LISTED = { listed: 'yes' };

/**
 * A conversation with items of every type: a turn that is deleted later, a question that searches, lists tools, asks
 * for an approval and calls a function, its answers, after which it asks again, and two branches off these: one in
 * flight, and one that waits for a function. Of the newest two that are listed one is in flight and one has ended.
 */
async function startFamily(app: SearchingApp): Promise<void> {
  await using disk = await startMcpServer({ tools: { write: {} } });
  const weather = { function: { name: 'weather', parameters: { type: 'object' } } };
  const tools = [mcpAsking('disk', disk), weather, { webSearch: {} }];
  const json = '{}';
  app.upstream.enqueue(
    says('Yes?'),
    calls([{ name: 'web_search', arguments: '{"query":"owls"}' }], 'Let me see.'),
    streams(
      chunk({ reasoning_content: 'Hm.' }),
      chunk({ content: 'See [1].' }),
      ...['write', 'weather'].map((name, index) =>
        chunk({ tool_calls: [{ index, id: name, type: 'function', function: { name, arguments: json } }] }),
      ),
      chunk({}, 'tool_calls'),
      { choices: [], usage: USAGE },
    ),
    calls([{ name: 'write', arguments: json, id: 'more' }], 'Done. More?'),
    calls([{ name: 'weather', arguments: json, id: 'again' }]),
    hangsAfter('half'),
  );
  const gone = await createResponse(app, { input: { text: 'Hello' } });
  const asking = await createResponse(app, {
    input: { text: 'Do it' },
    previousResponseId: gone.id,
    metadata: LISTED,
    tools,
  });
  const [request] = (await pendingItems(app, asking.id)).filter(
    ({ __typename }: { readonly __typename: string }) => /Approval/.test(__typename),
  );
  const items = [answer(request.id, true, 'Go ahead.'), outputFor('weather', 'Sun')];
  const answered = await createResponse(app, {
    input: { items },
    previousResponseId: asking.id,
    metadata: LISTED,
    tools,
  });
  const next = { input: { text: 'And?' }, previousResponseId: answered.id };
  await createResponse(app, { ...next, tools: [weather] });
  await createResponse(app, { ...next, metadata: LISTED, stream: true });
  await expectDeleted(app, gone.id);
}

const ID = /\b(resp|msg|fc|fco|rs|ws|mcpl|mcp|mcpr|mcpa)_[0-9a-f]{32}\b/g;

/** So many families, each a copy of one that the engine itself has stored, a second younger than the one before. */
export async function seedFamilies(app: SearchingApp, count: number): Promise<void> {
  const { sql } = app.database;
  await startFamily(app);
  const tables = ['responses', 'items', 'events'] as const;
  const originals = await Promise.all(
    tables.map(async (table) => {
      const [row] = await sql`select json_agg(t)::text as rows from ${sql(table)} t`;
      return { table, rows: String(row?.['rows']) };
    }),
  );
  for (let copy = 1; copy < count; copy++) {
    const renamed = (id: string, prefix: string) =>
      `${prefix}_${createHash('md5').update(`${id} ${copy}`).digest('hex')}`;
    for (const { table, rows } of originals) {
      const given = rows.replaceAll(ID, renamed);
      await sql`
        insert into ${sql(table)}
        select (jsonb_populate_record(null::${sql(table)}, row || case when row ? 'created_at'
          then jsonb_build_object('created_at', (row->>'created_at')::timestamptz + ${copy} * interval '1 second')
          else '{}' end)).*
        from jsonb_array_elements(${given}::text::jsonb) row`;
    }
  }
}
