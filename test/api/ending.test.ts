import { expect, test } from 'vitest';
import { custody, endOf, logged, queue } from '../support/background.ts';
import { calls, feed, hangsAfter, says } from '../support/chat-server.ts';
import { leaveAfter, readLog } from '../support/cut-log.ts';
import { startFleet } from '../support/fleet.ts';
import { createResponse, readResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { pendingItems, run } from '../support/run.ts';
import { collect } from '../support/stream.ts';
import type { TestApp } from '../support/test-app.ts';
import { answer, call, mcpAsking } from '../support/tools.ts';

const STOPPED = {
  status: 'FAILED',
  error: { code: 'server_error', message: 'The server stopped before this response was complete.' },
};

async function stream(app: TestApp, word: string): Promise<string> {
  app.upstream.enqueue(hangsAfter(word));
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  await logged(app, id, word);
  return id;
}

test('what nobody can bring to its end as it stands is ended without its output, and holds up nobody', async () => {
  await using fleet = await startFleet();
  const mortal = await fleet.startMortal();
  const { sql } = fleet.database;
  const ids: string[] = [];
  for (const word of ['unreadable', 'nonsense', 'refused', 'emptied', 'sound'])
    ids.push(await stream(mortal, word));
  const [unreadable = '', nonsense = '', refused = '', emptied = '', sound = ''] = ids;
  await mortal.die();
  await sql`update events set body = 'no JSON' where response_id = ${unreadable} and first = 0`;
  await sql`update events set body = replace(body, '"outputIndex":0', '"outputIndex":7') where response_id = ${nonsense}`;
  await sql`
    insert into items (id, tenant, response_id, direction, position, type, body)
    select 'msg_other', tenant, response_id, 'output', 1, type, body from items where response_id = ${refused}`;
  await sql`delete from events where response_id = ${emptied}`;
  const app = await fleet.start();
  for (const id of ids) {
    await expect.poll(() => custody(fleet, id), { timeout: 5000 }).toMatchObject({ status: 'failed' });
    expect(await readResponse(app, id)).toMatchObject(STOPPED);
  }
  expect(await readResponse(app, sound)).toMatchObject({ outputText: 'sound' });
  expect(await readResponse(app, nonsense)).toMatchObject({ output: [] });
});

test('a background run that makes no sense is ended, and is not tried again and again', async () => {
  await using fleet = await startFleet();
  const mortal = await fleet.startMortal();
  fleet.upstream.enqueue(hangsAfter('Half'), hangsAfter('Half'));
  const ids = [await queue(mortal), await queue(mortal)];
  for (const id of ids) await logged(mortal, id, 'Half');
  await mortal.die();
  const { sql } = fleet.database;
  await sql`update events set body = 'no JSON' where response_id = ${ids[0] ?? ''} and first = 0`;
  await sql`update events set body = replace(body, '"outputIndex":0', '"outputIndex":7') where response_id = ${ids[1] ?? ''}`;
  const app = await fleet.start({ config: { maxBackgroundRuns: 1 } });
  for (const id of ids) {
    await expect.poll(() => custody(fleet, id), { timeout: 5000 }).toMatchObject({ status: 'failed' });
    expect(await readResponse(app, id)).toMatchObject(STOPPED);
  }
  expect(await endOf(app, await queue(app))).toMatchObject({ status: 'COMPLETED' });
  expect(fleet.upstream.exchanges).toHaveLength(3);
});

test('of several instances one ends a run, and all tell the same end', async () => {
  await using fleet = await startFleet();
  const mortal = await fleet.startMortal();
  const ids: string[] = [];
  for (let each = 0; each < 10; each++) ids.push(await stream(mortal, `Word ${each}`));
  await mortal.die();
  const apps = await Promise.all([fleet.start(), fleet.start(), fleet.start()]);
  for (const [index, id] of ids.entries()) {
    const [one, ...others] = await Promise.all(apps.map((app) => collect(app, { id })));
    for (const other of others) expect(other).toEqual(one);
    expect(one?.at(-1)?.['response']).toMatchObject({ ...STOPPED, outputText: `Word ${index}` });
    const [row] = await fleet.database.sql`select count(*)::int as count from events
      where response_id = ${id} and body like '%response.failed%'`;
    expect(row?.['count']).toBe(1);
  }
});

test('a log that has its end already is believed', async () => {
  await using fleet = await startFleet();
  const app = await fleet.start();
  fleet.upstream.enqueue(says('Whole.'));
  const id = await queue(app);
  const ended = await endOf(app, id);
  await leaveAfter(fleet.database, id, await readLog(fleet.database, id));
  await expect.poll(() => custody(fleet, id), { timeout: 5000 }).toMatchObject({ status: 'completed' });
  expect(await readResponse(app, id)).toEqual(ended);
  expect(fleet.upstream.exchanges).toHaveLength(1);
});

test('an approval that came to nothing with its process can be given again', async () => {
  await using fleet = await startFleet();
  await using bank = await startMcpServer({ tools: { pay: {} } });
  const mortal = await fleet.startMortal();
  fleet.upstream.enqueue(calls([call('pay')]));
  const tools = [mcpAsking('bank', bank)];
  const first = await run(mortal, { input: { text: 'Hi' }, tools });
  const [request] = await pendingItems(mortal, first.id);
  bank.kill(); // it cannot even be reached
  const again = feed();
  fleet.upstream.enqueue(again.answer);
  const items = [answer(request.id, true)];
  await createResponse(mortal, { previousResponseId: first.id, input: { items }, tools, stream: true });
  await again.open;
  await mortal.die();
  const app = await fleet.start();
  await expect.poll(() => pendingItems(app, first.id), { timeout: 5000 }).toMatchObject([{ id: request.id }]);
});

test.each([{ background: true }, { stream: true }])(
  'a run whose events the database refuses ends as failed where it is, and nobody runs it again (%j)',
  async (mode) => {
    await using fleet = await startFleet();
    const app = await fleet.start();
    const { sql } = fleet.database;
    await sql`
      create function refuse() returns trigger language plpgsql as $$ begin
        if new.body like '%poison%' then raise exception 'No.'; end if;
        return new;
      end $$`;
    await sql`create trigger refuse before insert on events for each row execute function refuse()`;
    const upstream = feed();
    fleet.upstream.enqueue(upstream.answer);
    const { id } = await createResponse(app, { input: { text: 'Hi' }, ...mode });
    await upstream.say('Wholesome');
    await logged(fleet, id, 'Wholesome');
    await upstream.say(' poison');
    const ended = await endOf(app, id);
    expect(ended).toMatchObject({ ...STOPPED, outputText: 'Wholesome' });
    expect((await collect(app, { id })).at(-1)?.['response']).toEqual(ended);
    expect(await endOf(app, await queue(app))).toMatchObject({ status: 'COMPLETED' });
    expect(fleet.upstream.exchanges).toHaveLength(2);
  },
);
