import { expect, test, vi } from 'vitest';
import { startBehindProxy } from '../support/behind-proxy.ts';
import { feed, hangsAfter, says } from '../support/chat-server.ts';
import { CREATE, createResponse, readResponse, send } from '../support/graphql.ts';
import { collect, follow } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const SHORT = { lease: { leaseMs: 1000, renewMs: 100, sweepMs: 100 } };
/** Never renews and never looks at others: what a process does that has stopped moving. */
const FROZEN = { lease: { leaseMs: 400, renewMs: 3_600_000, sweepMs: 3_600_000 } };

async function started(app: TestApp, ...words: readonly string[]) {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  await upstream.say(...words);
  const text = words.join('');
  await vi.waitUntil(async () => (await readResponse(app, id)).outputText === text, { interval: 10 });
  return { id: id as string, upstream };
}

async function declareDead({ database: { sql } }: TestApp, responseId: string): Promise<void> {
  await sql`
    with owner as (
      select p.id from processes p join responses r on p.id = r.process_id where r.id = ${responseId} for update of p)
    update processes p set ended_at = now() from owner where p.id = owner.id`;
}

const failedWith = (text: string) => ({
  status: 'FAILED',
  outputText: text,
  output: text === '' ? [] : [{ status: 'INCOMPLETE', text }],
  error: { code: 'server_error', message: 'The server stopped before this response was complete.' },
});

test('a process that was declared dead commits and tells nothing more, and its runs end as FAILED', async () => {
  await using app = await startTestApp({ timing: { lease: { ...SHORT.lease, renewMs: 60_000 } } });
  const { id, upstream } = await started(app, 'Heard ');
  const live = collect(app, { id });
  await declareDead(app, id);
  await upstream.say('never ', 'heard');
  await (await upstream.open).closed;
  expect((await live).at(-1)?.['response']).toMatchObject(failedWith('Heard '));
  expect(await readResponse(app, id)).toMatchObject(failedWith('Heard '));
});

test('it goes on under a new lease, and new runs are none the worse', async () => {
  await using app = await startTestApp({ timing: SHORT });
  const { id } = await started(app, 'Heard');
  await declareDead(app, id);
  await vi.waitUntil(async () => (await readResponse(app, id)).status === 'FAILED', { timeout: 5000 });
  await expect
    .poll(() => createResponse(app, { input: { text: 'Hi' } }).catch(() => null), { timeout: 5000 })
    .toMatchObject({ status: 'COMPLETED' });
});

test('a caller that waits for a run of a process declared dead is given its failure', async () => {
  await using app = await startTestApp({ timing: SHORT });
  app.upstream.enqueue(hangsAfter('Heard'));
  const answer = createResponse(app, { input: { text: 'Hi' } });
  const { sql } = app.database;
  const [row] = await vi.waitUntil(
    async () => {
      const rows = await sql<{ id: string }[]>`
        select response_id as id from events where body like '%Heard%'`;
      return rows.length > 0 && rows;
    },
    { interval: 10 },
  );
  await declareDead(app, row?.id ?? '');
  expect(await answer).toMatchObject(failedWith('Heard'));
});

test('the runs of a vanished process end as FAILED exactly once, however many look after them', async () => {
  await using vanished = await startTestApp({ timing: FROZEN });
  const runs = [];
  for (let each = 0; each < 5; each++) runs.push(await started(vanished, `Run ${each} `, 'said this'));
  await using one = await startTestApp({ beside: vanished, timing: SHORT });
  await using two = await startTestApp({ beside: vanished, timing: SHORT });
  await Promise.all(
    runs.map(async ({ id }, each) => {
      const [near, far] = await Promise.all([collect(one, { id }), collect(two, { id })]);
      expect(far).toEqual(near);
      expect(near.at(-1)?.['response']).toMatchObject(failedWith(`Run ${each} said this`));
      expect(await readResponse(two, id)).toEqual(near.at(-1)?.['response']);
    }),
  );
  // The frozen one wakes, late: nobody listens to it.
  await Promise.all(runs.map(({ upstream }) => upstream.end()));
  await Promise.all(runs.map(async ({ upstream }) => (await upstream.open).closed));
  for (const { id } of runs) {
    const events = await collect(one, { id });
    expect(events.filter(({ __typename }) => __typename === 'ResponseFailedEvent')).toHaveLength(1);
    expect(await readResponse(vanished, id)).toEqual(events.at(-1)?.['response']);
  }
});

test('more orphans than one batch holds are all ended', async () => {
  await using vanished = await startTestApp({ timing: FROZEN });
  vanished.upstream.enqueue(...Array.from({ length: 230 }, () => hangsAfter()));
  const input = { input: { text: 'Hi' }, stream: true };
  await Promise.all(Array.from({ length: 230 }, () => createResponse(vanished, input)));
  await using _ = await startTestApp({ beside: vanished, timing: SHORT });
  const { sql } = vanished.database;
  await expect
    .poll(() => sql`select status, count(*)::int from responses group by status`, { timeout: 10_000 })
    .toEqual([{ status: 'FAILED'.toLowerCase(), count: 230 }]);
});

test('the first terminal state wins', async () => {
  await using app = await startTestApp({ timing: { lease: { ...FROZEN.lease, leaseMs: 60_000 } } });
  const { id, upstream } = await started(app, 'Mine');
  await using beside = await startTestApp({ beside: app, timing: SHORT });
  await declareDead(app, id);
  const failed = await vi.waitUntil(
    async () => {
      const response = await readResponse(beside, id);
      return response.status === 'FAILED' && response;
    },
    { timeout: 5000 },
  );
  await upstream.end();
  await (await upstream.open).closed;
  const answer = await createResponse(beside, { input: { text: 'Another' } }); // the database is busy elsewhere
  expect(answer.status).toBe('COMPLETED');
  expect(await readResponse(app, id)).toEqual(failed);
  expect((await collect(app, { id })).at(-1)?.['response']).toEqual(failed);
});

test('a process that stops cleanly ends its lease and leaves those of others alone', async () => {
  await using app = await startTestApp({ timing: SHORT });
  const { id, upstream } = await started(app, 'Still ');
  const beside = await startTestApp({ beside: app, timing: SHORT });
  await beside.app.stop();
  const { sql } = app.database;
  expect(await sql`select count(ended_at)::int as ended, count(*)::int from processes`).toEqual([
    { ended: 1, count: 2 },
  ]);
  await upstream.say('here');
  await upstream.end();
  expect((await collect(app, { id })).at(-1)?.['response']).toMatchObject({ outputText: 'Still here' });
});

test('a caller that joined a run elsewhere is told when its own instance stops, not given half a response', async () => {
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const input = { input: { text: 'Hi' }, idempotencyKey: 'k' };
  const first = createResponse(app, input);
  await upstream.say('Half');
  const beside = await startTestApp({ beside: app, timing: { answerGraceMs: 1000 } });
  const second = send(beside, CREATE, { input });
  await vi.waitUntil(
    async () => {
      const [row] = await app.database.sql`
        select count(*)::int as reads from pg_stat_activity where query like '%from idempotency_keys%'
          or query like '%first >= coalesce%'`;
      return row?.['reads'] > 0;
    },
    { interval: 10, timeout: 5000 },
  );
  await beside.app.stop();
  expect(await second).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  await upstream.end();
  expect(await first).toMatchObject({ status: 'COMPLETED' });
});

test.each(['refuses connections', 'answers nothing'])(
  'whoever is back first from a database that %s for longer than a lease gives the others time',
  async (how) => {
    const timing = { lease: { leaseMs: 1500, renewMs: 50, sweepMs: 50 } };
    await using first = await startBehindProxy({ timing });
    await using second = await startBehindProxy({ timing, beside: first.app });
    const { sql } = first.app.database;
    const { id, upstream } = await started(second.app, 'Still ');
    for (const { proxy } of [first, second])
      await (how === 'answers nothing' ? proxy.freeze() : proxy.goAway());
    // The app without a proxy, whose lease is long, is not meant.
    const valid = () => sql<{ expires: string }[]>`
      select expires_at::text as expires from processes where ended_at is null and expires_at between now() and now() + interval '5 s'`;
    await expect.poll(valid, { timeout: 5000, interval: 10 }).toEqual([]);
    await (how === 'answers nothing' ? first.proxy.thaw() : first.proxy.comeBack());
    // Renewed more than once, so it has looked at the others meanwhile.
    const seen = new Set<string>();
    await vi.waitUntil(
      async () => {
        for (const { expires } of await valid()) seen.add(expires);
        return seen.size > 5;
      },
      { timeout: 5000, interval: 10 },
    );
    await (how === 'answers nothing' ? second.proxy.thaw() : second.proxy.comeBack());
    await upstream.say('here');
    await upstream.end();
    const live = await collect(second.app, { id }).catch(() => collect(first.app, { id }));
    expect(live.at(-1)?.['response']).toMatchObject({ status: 'COMPLETED', outputText: 'Still here' });
    expect(await sql`select id from processes where ended_at is not null`).toEqual([]);
  },
);

test('runs that speak at the same time share commits', async () => {
  await using app = await startTestApp();
  const words = Array.from({ length: 20 }, (_, word) => `${word} `);
  app.upstream.enqueue(...Array.from({ length: 40 }, () => says(...words)));
  const input = { input: { text: 'Hi' } };
  const responses = await Promise.all(Array.from({ length: 40 }, () => createResponse(app, input)));
  for (const { outputText } of responses) expect(outputText).toBe(words.join(''));
  // Without the first row of each response, which is committed with the response itself.
  const [count] = await app.database.sql<[{ commits: number; rows: number }]>`
    select count(distinct xmin::text)::int as commits, count(*)::int as rows from events where first > 0`;
  expect(count.rows).toBeGreaterThanOrEqual(40);
  expect(count.commits).toBeLessThan(count.rows / 2);
});

test('nobody sees an event before it is in the log', async () => {
  await using app = await startTestApp();
  const { sql } = app.database;
  const words = Array.from({ length: 50 }, (_, word) => `${word} `);
  const { id, upstream } = await started(app);
  const speaking = upstream.say(...words).then(() => upstream.end());
  let seen = 0;
  for await (const { sequenceNumber } of follow(app, { id })) {
    const [row] = await sql`select max(last) as last from events where response_id = ${id}`;
    expect(row?.['last']).toBeGreaterThanOrEqual(sequenceNumber);
    seen++;
  }
  await speaking;
  expect(seen).toBeGreaterThan(5);
});
