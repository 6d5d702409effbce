import { expect, test } from 'vitest';
import { custody, endOf, logged, queue } from '../support/background.ts';
import { hangsAfter, says } from '../support/chat-server.ts';
import { startFleet } from '../support/fleet.ts';
import { collect } from '../support/stream.ts';

test('a run that was taken over five times and is then handed back goes on', async () => {
  await using fleet = await startFleet();
  fleet.upstream.enqueue(hangsAfter('Half'), says('Whole'));
  const app = await fleet.start();
  const id = await queue(app);
  await logged(fleet, id, 'Half');
  await fleet.database.sql`update responses set take_overs = 5 where id = ${id}`;
  await app.app.stop();
  expect(await custody(fleet, id)).toEqual({ status: 'in_progress', owner: null, takeOvers: 5 });
  const next = await fleet.start();
  expect(await endOf(next, id)).toMatchObject({ status: 'COMPLETED', outputText: 'Whole' });
  expect(await custody(fleet, id)).toMatchObject({ takeOvers: 5 });
  await collect(next, { id });
});
