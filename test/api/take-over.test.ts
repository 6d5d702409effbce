import { expect, test, vi } from 'vitest';
import { custody, endOf, logged, queue } from '../support/background.ts';
import { cancel } from '../support/cancel.ts';
import {
  type ChatServer,
  calls,
  chunk,
  DONE,
  feed,
  hangsAfter,
  says,
  sse,
  USAGE,
  write,
} from '../support/chat-server.ts';
import { startFleet } from '../support/fleet.ts';
import { createResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { pendingItems, run, sentTo } from '../support/run.ts';
import { collect, type StreamEvent } from '../support/stream.ts';
import { answer, call, mcp, mcpAsking, typesOf } from '../support/tools.ts';
import { toldTo } from '../support/upstream-tools.ts';

const never = () => new Promise<string>(() => {});
const ASKED = [{ role: 'user', content: 'Hi' }];
const UNKNOWN = 'This call was interrupted: whether it took effect is not known, and it is not made again.';
const isSnapshot = ({ __typename }: StreamEvent) => __typename === 'ResponseSnapshotEvent';

/** Everything that the model was sent, without what goes along. */
const asked = ({ upstream }: { readonly upstream: ChatServer }) =>
  upstream.exchanges.map(({ body }) => body.messages);

test('a process that dies before the model has said a word', async () => {
  await using fleet = await startFleet();
  const mortal = await fleet.startMortal();
  fleet.upstream.enqueue(hangsAfter());
  const id = await queue(mortal);
  await fleet.upstream.received(1);
  await logged(fleet, id, 'response.in_progress');
  await mortal.die();
  const app = await fleet.start();
  expect(await endOf(app, id)).toMatchObject({ status: 'COMPLETED', outputText: 'ok' });
  expect(asked(fleet)).toEqual([ASKED, ASKED]);
  expect(await custody(fleet, id)).toMatchObject({ takeOvers: 1 });
  const events = await collect(app, { id });
  expect(events.slice(1, 5).map(({ __typename }) => __typename)).toEqual([
    'ResponseQueuedEvent',
    'ResponseInProgressEvent',
    'ResponseSnapshotEvent',
    'OutputItemAddedEvent',
  ]);
});

test('what a round had said is taken back and said anew, and its tokens count once', async () => {
  await using fleet = await startFleet();
  const mortal = await fleet.startMortal();
  const app = await fleet.start({ config: { maxBackgroundRuns: 0 } });
  const upstream = feed();
  fleet.upstream.enqueue(upstream.answer, says('A whole ', 'answer.'));
  const id = await queue(mortal);
  const live = collect(app, { id });
  await upstream.say('Half an ', 'ans');
  await logged(fleet, id, 'ans');
  await mortal.die();
  const other = await fleet.start();
  const events = await live; // told on an instance that never ran it
  const ended = await endOf(other, id);
  expect(ended).toMatchObject({ outputText: 'A whole answer.', usage: { totalTokens: USAGE.total_tokens } });
  expect(events.at(-1)?.['response']).toEqual(ended);
  expect(events.find(isSnapshot)?.['response']).toMatchObject({
    status: 'IN_PROGRESS',
    output: [],
    usage: null,
  });
  expect(events.map(({ delta }) => delta ?? '').join('')).toBe('Half an ansA whole answer.');
});

test('calls that had ended stand, one in flight was interrupted, and the model is told so', async () => {
  await using fleet = await startFleet();
  await using bank = await startMcpServer({ tools: { balance: { run: () => '42' }, pay: { run: never } } });
  const mortal = await fleet.startMortal();
  fleet.upstream.enqueue(calls([call('balance'), call('pay', { to: 'Ada' })], 'Paying.'), says('Perhaps.'));
  const id = await queue(mortal, { tools: [mcp('bank', bank)] });
  await bank.called(2);
  await logged(fleet, id, '"text":"42"');
  await mortal.die();
  const app = await fleet.start();
  const ended = await endOf(app, id);
  expect(ended).toMatchObject({
    status: 'COMPLETED',
    outputText: 'Paying.Perhaps.',
    usage: { totalTokens: 2 * USAGE.total_tokens },
  });
  expect(ended.output).toMatchObject([
    { __typename: 'McpListTools', status: 'COMPLETED' },
    { __typename: 'Message', status: 'COMPLETED' },
    { name: 'balance', status: 'COMPLETED', output: '42' },
    { name: 'pay', status: 'FAILED', output: null, error: { type: 'INTERRUPTED', message: UNKNOWN } },
    { __typename: 'Message', status: 'COMPLETED' },
  ]);
  const ids = ['call_balance_0', 'call_pay_1'];
  expect(sentTo(mortal).messages).toMatchObject([
    ...ASKED,
    { role: 'assistant', content: 'Paying.', tool_calls: ids.map((each) => ({ id: each })) },
    { role: 'tool', tool_call_id: ids[0], content: '42' },
    { role: 'tool', tool_call_id: ids[1], content: UNKNOWN },
  ]);
  expect(bank.calls.map(({ name }) => name).sort()).toEqual(['balance', 'pay']);
  const methods = bank.requests.map(({ body }) => body?.['method']);
  expect(methods.filter((method) => method === 'tools/list')).toHaveLength(1);
  const snapshot = (await collect(app, { id })).find(isSnapshot)?.['response'];
  expect(snapshot).toMatchObject({
    output: ended.output.slice(0, 4),
    usage: { totalTokens: USAGE.total_tokens },
  });
});

test.each(['had not begun to speak', 'was speaking'])(
  'a process that dies while the second round %s',
  async (how) => {
    await using fleet = await startFleet();
    await using office = await startMcpServer({ tools: { ask: { run: () => 'u7' } } });
    const mortal = await fleet.startMortal();
    const second = feed();
    fleet.upstream.enqueue(calls([call('ask')]), second.answer, says('It is u7.'));
    const id = await queue(mortal, { tools: [mcp('office', office)] });
    await second.open;
    if (how === 'was speaking') {
      await second.say('It is');
      await logged(fleet, id, 'It is');
    }
    await mortal.die();
    const app = await fleet.start();
    const ended = await endOf(app, id);
    expect(ended).toMatchObject({ outputText: 'It is u7.', usage: { totalTokens: 2 * USAGE.total_tokens } });
    expect(typesOf(ended.output)).toEqual(['McpListTools', 'McpCall', 'Message']);
    expect(office.calls).toHaveLength(1);
    const [, before, after] = asked(fleet);
    expect(after).toEqual(before);
    await collect(app, { id });
  },
);

test('an approved call in flight is not made again, and cannot be approved again', async () => {
  await using fleet = await startFleet();
  await using bank = await startMcpServer({ tools: { pay: { run: never } } });
  const mortal = await fleet.startMortal();
  fleet.upstream.enqueue(calls([call('pay')]), says('Perhaps.'));
  const tools = [mcpAsking('bank', bank)];
  const first = await run(mortal, { input: { text: 'Hi' }, tools });
  const [request] = await pendingItems(mortal, first.id);
  const items = [answer(request.id, true)];
  const id = await queue(mortal, { previousResponseId: first.id, input: { items }, tools });
  await bank.called(1);
  await logged(fleet, id, '"starts":true');
  await mortal.die();
  const app = await fleet.start();
  const ended = await endOf(app, id);
  expect(ended.output).toMatchObject([
    { approvalRequestId: request.id, status: 'FAILED', error: { type: 'INTERRUPTED' } },
    { text: 'Perhaps.' },
  ]);
  expect(toldTo(app)).toEqual([UNKNOWN]);
  expect(await pendingItems(app, first.id)).toEqual([]);
  expect(bank.calls).toHaveLength(1);
});

test('two instances share what a dead one has left, and never both run one of it', async () => {
  await using fleet = await startFleet();
  const mortal = await fleet.startMortal();
  fleet.upstream.enqueue(...Array.from({ length: 30 }, () => hangsAfter('Half')));
  const ids = await Promise.all(Array.from({ length: 30 }, () => queue(mortal)));
  await Promise.all(ids.map((id) => logged(fleet, id, 'Half')));
  await mortal.die();
  const config = { maxBackgroundRuns: 4 };
  const apps = await Promise.all([fleet.start({ config }), fleet.start({ config })]);
  for (const id of ids)
    expect(await endOf(apps[0], id)).toMatchObject({ status: 'COMPLETED', outputText: 'ok' });
  expect(fleet.upstream.exchanges).toHaveLength(60);
  const owners = await Promise.all(ids.map(async (id) => (await custody(fleet, id)).owner));
  expect(new Set(owners).size).toBe(2);
  for (const id of ids.slice(0, 5))
    expect((await collect(apps[1], { id })).filter(isSnapshot)).toHaveLength(1);
});

test('a process that was declared dead and wakes calls no tool, and tells its followers what others did', async () => {
  await using fleet = await startFleet();
  await using bank = await startMcpServer({ tools: { pay: {} } });
  const mortal = await fleet.startMortal();
  const upstream = feed();
  fleet.upstream.enqueue(upstream.answer, says('No need.'));
  const id = await queue(mortal, { tools: [mcp('bank', bank)] });
  const near = collect(mortal, { id });
  await upstream.say('I will pay.');
  await logged(fleet, id, 'I will pay.');
  mortal.freeze();
  const asking = { index: 0, id: 'call_pay', type: 'function', function: { name: 'pay', arguments: '{}' } };
  await write(await upstream.open, sse(chunk({ tool_calls: [asking] }), chunk({}, 'tool_calls')) + DONE);
  (await upstream.open).answer.end(); // so it is ready to call, and cannot say so
  await vi.waitUntil(() => bank.sessions.opened.length === 1, { interval: 10 });
  await mortal.die();
  const app = await fleet.start();
  const ended = await endOf(app, id);
  expect(ended).toMatchObject({ status: 'COMPLETED', outputText: 'No need.' });
  mortal.thaw();
  expect((await near).at(-1)?.['response']).toEqual(ended);
  expect(await endOf(mortal, await queue(mortal))).toMatchObject({ status: 'COMPLETED' }); // it lives on
  expect(bank.calls).toEqual([]);
  expect(await collect(app, { id })).toEqual(await collect(mortal, { id }));
});

test('what somebody wanted cancelled while its process was dying is cancelled', async () => {
  await using fleet = await startFleet();
  const mortal = await fleet.startMortal();
  const app = await fleet.start();
  fleet.upstream.enqueue(hangsAfter('Half'), hangsAfter('Half'));
  const id = await queue(mortal);
  const { id: streamed } = await createResponse(mortal, { input: { text: 'Hi' }, stream: true });
  for (const each of [id, streamed]) await logged(fleet, each, 'Half');
  mortal.freeze();
  const answers = [cancel(app, id), cancel(app, streamed)];
  await vi.waitUntil(
    async () => {
      const [row] = await fleet.database.sql`
        select count(*)::int as wishes from responses where cancel_requested_at is not null`;
      return row?.['wishes'] === 2;
    },
    { interval: 10 },
  );
  await mortal.die();
  for (const { response, errors } of await Promise.all(answers)) {
    expect(errors).toEqual([]);
    expect(response).toMatchObject({ status: 'CANCELLED', outputText: 'Half' });
    expect((await collect(app, { id: response.id })).at(-1)?.__typename).toBe('ResponseCancelledEvent');
  }
  expect(fleet.upstream.exchanges).toHaveLength(2);
});
