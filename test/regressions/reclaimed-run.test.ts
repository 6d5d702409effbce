import { expect, test } from 'vitest';
import { custody, endOf, logged, queue } from '../support/background.ts';
import { startBehindProxy } from '../support/behind-proxy.ts';
import { feed } from '../support/chat-server.ts';
import { collect } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';

const OFTEN = { lease: { leaseMs: 60_000, renewMs: 50, sweepMs: 50 } };

test('a background run that is lost and claimed again by the same process runs once', async () => {
  await using idle = await startTestApp({ config: { maxBackgroundRuns: 0 } });
  await using setting = await startBehindProxy({ timing: OFTEN, beside: idle });
  const { app, proxy } = setting;
  const { sql } = app.database;
  const [lost, again] = [feed(), feed()];
  app.upstream.enqueue(lost.answer, again.answer);
  const id = await queue(app);
  await lost.say('Half ');
  await logged(app, id, 'Half');
  const held = proxy.holdBack('unheard');
  await lost.say('unheard');
  const release = await held;
  const { owner } = await custody(app, id);
  await sql`update processes set ended_at = now() where id = ${owner}`;
  await app.upstream.received(2);
  expect(await custody(app, id)).toMatchObject({ status: 'in_progress', takeOvers: 1 });
  release();
  await again.say('Whole');
  await logged(app, id, 'Whole'); // commits go one after the other: the lost run has let go
  await endOf(app, await queue(app, { input: { text: 'Another' } })); // so the process has claimed once more
  await again.end();

  expect(await endOf(app, id)).toMatchObject({ status: 'COMPLETED', outputText: 'Whole' });
  const asked = app.upstream.exchanges.map(({ body }) => body.messages.at(-1)?.content);
  expect(asked).toEqual(['Hi', 'Hi', 'Another']);
  const rows = await sql<{ first: number; last: number }[]>`
    select first, last from events where response_id = ${id} order by first`;
  const numbers = rows.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index),
  );
  expect(numbers).toEqual(numbers.map((_, index) => index));
  expect((await collect(app, { id })).map(({ sequenceNumber }) => sequenceNumber)).toEqual(numbers);
});
