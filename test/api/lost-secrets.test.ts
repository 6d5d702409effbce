import { expect, test } from 'vitest';
import { custody, endOf, logged, queue } from '../support/background.ts';
import { calls, hangsAfter, says } from '../support/chat-server.ts';
import { startFleet } from '../support/fleet.ts';
import { createResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { pendingItems, run } from '../support/run.ts';
import { collect } from '../support/stream.ts';
import { answer, call, mcp, mcpAsking } from '../support/tools.ts';
import { namesShownTo, toldTo } from '../support/upstream-tools.ts';

const TOKEN = 'the-secret-token';
const SECRETS = [{ authorization: TOKEN }, { headers: { 'X-Key': TOKEN } }];
const LOST =
  'The secrets of "office" were lost when another process took this response over: send the request again with them.';
const failure = { status: 'FAILED', error: { type: 'CREDENTIALS_LOST', code: null, message: LOST } };

const startOffice = () => startMcpServer({ tools: { ask: { run: () => 'u7' } } });

test.each(SECRETS)('calls that need lost secrets fail, and nothing is sent (%j)', async (secret) => {
  await using fleet = await startFleet();
  await using office = await startOffice();
  await using open = await startMcpServer({ tools: { look: { run: () => 'a view' } } });
  const mortal = await fleet.startMortal();
  fleet.upstream.enqueue(calls([call('ask')]), hangsAfter(), calls([call('ask'), call('look')]), says('Hm.'));
  const id = await queue(mortal, { tools: [mcp('office', office, secret), mcp('open', open)] });
  await fleet.upstream.received(2);
  await mortal.die();
  const sent = office.requests.length;
  const app = await fleet.start();
  const ended = await endOf(app, id);
  expect(ended.output).toMatchObject([
    { serverLabel: 'office', status: 'COMPLETED' },
    { serverLabel: 'open', status: 'COMPLETED' },
    { name: 'ask', output: 'u7' },
    { name: 'ask', ...failure },
    { name: 'look', output: 'a view' },
    { text: 'Hm.' },
  ]);
  expect(toldTo(app)).toEqual(['u7', LOST, 'a view']);
  expect(office.requests).toHaveLength(sent);
  await collect(app, { id });
  // The request again, with them: it is a continuation, and has the listing.
  fleet.upstream.enqueue(calls([call('ask', {}, 'again')]), says('There.'));
  const more = { previousResponseId: id, input: { text: 'Again.' }, tools: [mcp('office', office, secret)] };
  expect((await run(app, more)).output).toMatchObject([{ output: 'u7' }, { text: 'There.' }]);
});

test('a listing that was not there yet fails too, and the run goes on with what is left', async () => {
  await using fleet = await startFleet();
  await using office = await startMcpServer({ intercept: () => true });
  const mortal = await fleet.startMortal();
  const id = await queue(mortal, {
    tools: [mcp('office', office, { authorization: TOKEN }), { function: { name: 'f' } }],
  });
  await logged(mortal, id, 'mcp_list_tools');
  await expect.poll(() => office.requests.length).toBeGreaterThan(0);
  await mortal.die();
  const sent = office.requests.length;
  const app = await fleet.start();
  expect((await endOf(app, id)).output).toMatchObject([
    { serverLabel: 'office', ...failure },
    { text: 'ok' },
  ]);
  expect(namesShownTo(app)).toEqual(['f']);
  expect(office.requests).toHaveLength(sent);
});

test('what waited for a dead process and its secrets is run without them', async () => {
  await using fleet = await startFleet();
  await using office = await startOffice();
  const mortal = await fleet.startMortal({ config: { maxBackgroundRuns: 0 } });
  const secret = mcp('office', office, { authorization: TOKEN });
  const id = await queue(mortal, { tools: [secret] });
  const plain = await queue(mortal, { tools: [mcp('office', office)] });
  const app = await fleet.start();
  expect(await endOf(app, plain)).toMatchObject({ status: 'COMPLETED' });
  expect(await custody(fleet, id)).toMatchObject({ status: 'queued' });
  const sent = office.requests.length;
  await mortal.die();
  expect((await endOf(app, id)).output).toMatchObject([failure, { text: 'ok' }]);
  expect(await custody(fleet, id)).toMatchObject({ takeOvers: 0 });
  expect(office.requests).toHaveLength(sent);
});

test('an approved call that lost its secrets is not made, and can be approved again', async () => {
  await using fleet = await startFleet();
  await using office = await startOffice();
  const mortal = await fleet.startMortal({ config: { maxBackgroundRuns: 0 } });
  const tools = [mcpAsking('office', office, { authorization: TOKEN })];
  fleet.upstream.enqueue(calls([call('ask')]));
  const first = await run(mortal, { input: { text: 'Hi' }, tools });
  const [request] = await pendingItems(mortal, first.id);
  const approve = { previousResponseId: first.id, input: { items: [answer(request.id, true)] }, tools };
  const id = await queue(mortal, approve);
  await mortal.die();
  const app = await fleet.start();
  expect((await endOf(app, id)).output).toMatchObject([failure, { text: 'ok' }]);
  expect(await pendingItems(app, first.id)).toMatchObject([{ id: request.id }]);
  expect(await createResponse(app, approve)).toMatchObject({ output: [{ output: 'u7' }, {}] });
  expect(office.calls).toHaveLength(1);
});

test('a process that was declared dead and wakes has its secrets still', async () => {
  await using fleet = await startFleet();
  await using office = await startMcpServer({ token: TOKEN, tools: { ask: { run: () => 'u7' } } });
  const app = await fleet.start();
  fleet.upstream.enqueue(hangsAfter('Half'), calls([call('ask')]), says('It is u7.'));
  const id = await queue(app, { tools: [mcp('office', office, { authorization: TOKEN })] });
  await logged(app, id, 'Half');
  await fleet.database.sql`update processes set ended_at = now() where ended_at is null`;
  expect(await endOf(app, id)).toMatchObject({ status: 'COMPLETED', outputText: 'It is u7.' });
  expect(await custody(fleet, id)).toMatchObject({ takeOvers: 1 });
});
