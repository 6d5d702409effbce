import { expect, test, vi } from 'vitest';
import { custody, endOf, logged, queue } from '../support/background.ts';
import { calls, feed, hangsAfter, says } from '../support/chat-server.ts';
import { startFleet } from '../support/fleet.ts';
import { readResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { collect } from '../support/stream.ts';
import { call, mcp } from '../support/tools.ts';
import { toldTo } from '../support/upstream-tools.ts';

/** Looks after nobody and asks for nothing: it does what it is woken for. */
const WOKEN = { lease: { leaseMs: 60_000, renewMs: 30_000, sweepMs: 60_000 }, pollMs: 60_000 };
const PATIENT = { ...WOKEN, runGraceMs: 10_000 };

test('a server that stops hands its background runs back, and another goes on within a second', async () => {
  await using fleet = await startFleet();
  const app = await fleet.start({ timing: PATIENT, config: { maxBackgroundRuns: 2 } });
  fleet.upstream.enqueue(hangsAfter('Half'), hangsAfter('Half'));
  const running = [await queue(app), await queue(app)];
  for (const id of running) await logged(app, id, 'Half');
  const queued = await queue(app);
  const beside = await fleet.start({ timing: WOKEN, config: { maxBackgroundRuns: 3 } });
  await endOf(beside, queued);
  const began = performance.now();
  await app.app.stop();
  for (const id of running) {
    expect(await endOf(beside, id)).toMatchObject({ status: 'COMPLETED', outputText: 'ok' });
    expect(await custody(fleet, id)).toMatchObject({ takeOvers: 0 });
    const types = (await collect(beside, { id })).map(({ __typename }) => __typename);
    expect(types.filter((type) => type === 'ResponseSnapshotEvent')).toHaveLength(1);
  }
  expect(performance.now() - began).toBeLessThan(1000);
  for (const { closed } of fleet.upstream.exchanges.slice(0, 2)) await closed;
});

test.each([0, 10_000])(
  'nothing of it fails for that, with %d ms to stop in and nobody to take it',
  async (runGraceMs) => {
    await using fleet = await startFleet();
    const app = await fleet.start({ timing: { ...WOKEN, runGraceMs }, config: { maxBackgroundRuns: 1 } });
    fleet.upstream.enqueue(hangsAfter('Half'));
    const ids = [await queue(app), await queue(app)];
    await logged(app, ids[0] ?? '', 'Half');
    await app.app.stop();
    for (const [index, id] of ids.entries()) {
      const status = index === 0 ? 'in_progress' : 'queued';
      expect(await custody(fleet, id)).toEqual({ status, owner: null, takeOvers: 0 });
    }
    const next = await fleet.start({ timing: WOKEN });
    for (const id of ids)
      expect(await endOf(next, id)).toMatchObject({ status: 'COMPLETED', outputText: 'ok' });
  },
);

test('a call in flight is waited for, and its result goes along', async () => {
  await using fleet = await startFleet();
  const { promise: paid, resolve: pay } = Promise.withResolvers<string>();
  await using bank = await startMcpServer({ tools: { pay: { run: () => paid }, quick: {} } });
  const app = await fleet.start({ timing: PATIENT });
  fleet.upstream.enqueue(calls([call('pay'), call('quick')]));
  const id = await queue(app, { tools: [mcp('bank', bank)] });
  await bank.called(2);
  await logged(app, id, '"text":"ok"');
  const beside = await fleet.start();
  const before = await custody(fleet, id);
  const stopped = app.app.stop();
  const other = await queue(beside); // goes its way while the stop waits
  await endOf(beside, other);
  expect(await custody(fleet, id)).toEqual(before);
  fleet.upstream.enqueue(says('Paid.'));
  pay('receipt');
  await stopped;
  expect(await endOf(beside, id)).toMatchObject({ status: 'COMPLETED', outputText: 'Paid.' });
  expect(toldTo(beside)).toEqual(['receipt', 'ok']);
  expect(await custody(fleet, id)).toMatchObject({ takeOvers: 0 });
  expect(bank.calls).toHaveLength(2);
  await collect(beside, { id });
});

test('a run that ends with its calls ends where it is', async () => {
  await using fleet = await startFleet();
  const { promise: paid, resolve: pay } = Promise.withResolvers<string>();
  await using bank = await startMcpServer({ tools: { pay: { run: () => paid } } });
  const app = await fleet.start({ timing: PATIENT });
  fleet.upstream.enqueue(calls([call('pay'), call('weather')]));
  const id = await queue(app, { tools: [mcp('bank', bank), { function: { name: 'weather' } }] });
  await bank.called(1);
  const before = await custody(fleet, id);
  const stopped = app.app.stop();
  pay('receipt');
  await stopped;
  expect(await custody(fleet, id)).toEqual({ ...before, status: 'completed' });
});

test('a call that takes longer than the stop may is not made again', async () => {
  await using fleet = await startFleet();
  await using bank = await startMcpServer({ tools: { pay: { run: () => new Promise<string>(() => {}) } } });
  const app = await fleet.start({ timing: { ...PATIENT, runGraceMs: 100 } });
  fleet.upstream.enqueue(calls([call('pay')]), says('Perhaps.'));
  const id = await queue(app, { tools: [mcp('bank', bank)] });
  await bank.called(1);
  await app.app.stop();
  expect(await custody(fleet, id)).toMatchObject({ owner: null, takeOvers: 0 });
  const beside = await fleet.start();
  const ended = await endOf(beside, id);
  expect(ended).toMatchObject({ status: 'COMPLETED', output: [{}, { error: { type: 'INTERRUPTED' } }, {}] });
  expect(bank.calls).toHaveLength(1);
});

test('runs with secrets have the whole time to end; then they go without', async () => {
  await using fleet = await startFleet();
  await using office = await startMcpServer({
    token: 'the-secret-token',
    tools: { ask: { run: () => 'u7' } },
  });
  const secret = mcp('office', office, { authorization: 'the-secret-token' });
  const app = await fleet.start({ timing: { ...PATIENT, runGraceMs: 1500 } });
  const [soon, late] = [feed(), feed()];
  fleet.upstream.enqueue(soon.answer, late.answer);
  const ids = [await queue(app, { tools: [secret] }), await queue(app, { tools: [secret] })] as const;
  await Promise.all([soon.say('Soon'), late.say('Late')]);
  for (const id of ids) await vi.waitUntil(async () => (await readResponse(app, id)).outputText !== '');
  const plain = await queue(app);
  await endOf(app, plain);
  const beside = await fleet.start();
  const listed = office.requests.length;
  const stopped = app.app.stop();
  await soon.end();
  fleet.upstream.enqueue(calls([call('ask')]), says('Without.'));
  await stopped;
  const ends = await Promise.all(ids.map((id) => endOf(beside, id)));
  const whole = ends.find(({ outputText }) => outputText === 'Soon');
  const without = ends.find(({ outputText }) => outputText === 'Without.');
  expect(whole).toMatchObject({ status: 'COMPLETED' });
  expect(without.output).toMatchObject([
    { __typename: 'McpListTools', status: 'COMPLETED' },
    { status: 'FAILED', error: { type: 'CREDENTIALS_LOST' } },
    { text: 'Without.' },
  ]);
  const since = office.requests.slice(listed).filter(({ method }) => method !== 'DELETE');
  expect(since).toEqual([]);
});
