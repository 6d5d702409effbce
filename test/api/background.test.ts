import { expect, test } from 'vitest';
import { custody, endOf, logged, queue } from '../support/background.ts';
import { cancel } from '../support/cancel.ts';
import { type Answer, calls, feed, hangsAfter, says, USAGE } from '../support/chat-server.ts';
import { startFleet } from '../support/fleet.ts';
import { create, createResponse, readResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { sentTo } from '../support/run.ts';
import { collect, TRANSPORTS } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';
import { call, mcp } from '../support/tools.ts';

const BEGINNING = ['ResponseCreatedEvent', 'ResponseQueuedEvent', 'ResponseInProgressEvent'];

test.each(TRANSPORTS)(
  'a background response is queued at once, and runs to its end (%s)',
  async (transport) => {
    await using app = await startTestApp();
    const upstream = feed();
    app.upstream.enqueue(upstream.answer);
    const input = { input: { text: 'Hi' }, background: true };
    const queued = await createResponse(app, input);
    expect(queued).toMatchObject({
      status: 'QUEUED',
      output: [],
      completedAt: null,
      usage: null,
      error: null,
    });
    const live = collect(app, { id: queued.id }, transport);
    await upstream.say('Hello ', 'there');
    await upstream.end();
    const events = await live;
    expect(events.slice(0, 3).map(({ __typename }) => __typename)).toEqual(BEGINNING);
    expect(events.slice(0, 3).map(({ response }) => response.status)).toEqual([
      'QUEUED',
      'QUEUED',
      'IN_PROGRESS',
    ]);
    const ended = await readResponse(app, queued.id);
    expect(ended).toMatchObject({
      status: 'COMPLETED',
      outputText: 'Hello there',
      usage: { totalTokens: USAGE.total_tokens },
    });
    expect(events.at(-1)?.['response']).toEqual(ended);
    expect(sentTo(app).messages).toEqual([{ role: 'user', content: 'Hi' }]);
    expect(await custody(app, queued.id)).toMatchObject({ status: 'completed', takeOvers: 0 });
  },
);

test('nobody has to follow it, and whoever leaves takes nothing from it', async () => {
  await using app = await startTestApp({ config: { detachGraceMs: 0 } });
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const id = await queue(app);
  await upstream.say('Still ');
  await expect.poll(() => readResponse(app, id)).toMatchObject({ outputText: 'Still ' });
  await upstream.say('here');
  await upstream.end();
  expect(await endOf(app, id)).toMatchObject({ status: 'COMPLETED', outputText: 'Still here' });
});

test('a continuation in the background knows what was said before', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('First.'), says('Second.'));
  const first = await endOf(app, await queue(app));
  const second = await queue(app, { previousResponseId: first.id, input: { text: 'And?' } });
  expect(await endOf(app, second)).toMatchObject({ outputText: 'Second.' });
  expect(sentTo(app).messages).toEqual([
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'First.' },
    { role: 'user', content: 'And?' },
  ]);
});

test('tools run in the background like anywhere else', async () => {
  await using app = await startTestApp();
  await using office = await startMcpServer({ tools: { ask: { run: () => 'u7' } } });
  app.upstream.enqueue(calls([call('ask')]), says('It is u7.'));
  const id = await queue(app, { tools: [mcp('office', office)] });
  expect((await collect(app, { id })).at(-1)?.['response']).toMatchObject({
    status: 'COMPLETED',
    outputText: 'It is u7.',
    usage: { totalTokens: 2 * USAGE.total_tokens },
  });
});

test('more than there is room for stay queued, and the oldest goes first', async () => {
  await using app = await startTestApp({ config: { maxBackgroundRuns: 2 } });
  const feeds = Array.from({ length: 5 }, () => feed());
  // Two of them ask at the same time.
  const inTurn: Answer = (exchange) => feeds[Number(exchange.body.messages[0]?.content)]?.answer(exchange);
  app.upstream.enqueue(...feeds.map(() => inTurn));
  const ids: string[] = [];
  for (let each = 0; each < 5; each++) ids.push(await queue(app, { input: { text: `${each}` } }));
  const statuses = () => Promise.all(ids.map(async (id) => (await custody(app, id)).status));
  for (const [each, { open, end }] of feeds.entries()) {
    await open;
    const running = Math.min(each + 2, 5);
    await expect
      .poll(statuses)
      .toEqual(ids.map((_, at) => (at < each ? 'completed' : at < running ? 'in_progress' : 'queued')));
    await end();
  }
  await expect.poll(statuses).toEqual(ids.map(() => 'completed'));
});

test('what one instance has no room for another one takes, without waiting for its sweep', async () => {
  await using app = await startTestApp({ config: { maxBackgroundRuns: 1 }, timing: { pollMs: 60_000 } });
  await using beside = await startTestApp({ beside: app, timing: { pollMs: 60_000 } });
  app.upstream.enqueue(hangsAfter(), says('Taken.'));
  const first = await queue(app);
  await app.upstream.received(1);
  const second = await queue(app);
  await app.upstream.received(2);
  expect(await endOf(beside, second)).toMatchObject({ outputText: 'Taken.' });
  const [one, other] = [await custody(app, first), await custody(app, second)];
  expect(one.owner).not.toBe(other.owner);
  expect(other.takeOvers).toBe(0);
});

test('many queued on two instances are each run once', async () => {
  await using app = await startTestApp({ config: { maxBackgroundRuns: 3 } });
  await using beside = await startTestApp({ beside: app, config: { maxBackgroundRuns: 3 } });
  const ids = await Promise.all(
    Array.from({ length: 40 }, (_, each) => queue([app, beside][each % 2] ?? app)),
  );
  const ends = await Promise.all(ids.map((id) => endOf(beside, id)));
  expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(['COMPLETED']));
  expect(app.upstream.exchanges).toHaveLength(40);
});

test('one with secrets waits for the instance that has them, however much room others have', async () => {
  await using fleet = await startFleet();
  await using office = await startMcpServer({ token: 'the-secret-token', tools: { ask: {} } });
  const app = await fleet.start({ config: { maxBackgroundRuns: 1 } });
  const busy = feed();
  fleet.upstream.enqueue(busy.answer, says('Done.'), calls([call('ask')]), says('Done.'));
  await queue(app);
  await busy.open;
  const secret = mcp('office', office, { authorization: 'the-secret-token' });
  const id = await queue(app, { tools: [secret] });
  const beside = await fleet.start();
  const other = await queue(app); // without secrets, and younger
  expect(await endOf(beside, other)).toMatchObject({ status: 'COMPLETED' });
  expect(await custody(app, id)).toMatchObject({ status: 'queued' });
  await busy.end();
  const ended = await endOf(beside, id);
  expect(ended.output).toMatchObject([{ status: 'COMPLETED' }, { status: 'COMPLETED', output: 'ok' }, {}]);
  expect((await collect(beside, { id })).slice(0, 3).map(({ __typename }) => __typename)).toEqual(BEGINNING);
});

test('a queued response is cancelled before anybody runs it, from whichever instance', async () => {
  await using app = await startTestApp({ config: { maxBackgroundRuns: 1 } });
  await using office = await startMcpServer({ token: 'the-secret-token' });
  app.upstream.enqueue(hangsAfter());
  await queue(app);
  await app.upstream.received(1);
  await using beside = await startTestApp({ beside: app, config: { maxBackgroundRuns: 0 } });
  const secret = mcp('office', office, { authorization: 'the-secret-token' });
  for (const at of [app, beside]) {
    const id = await queue(app, { tools: [secret] });
    const { response, errors } = await cancel(at, id);
    expect(errors).toEqual([]);
    expect(response).toMatchObject({ status: 'CANCELLED', output: [] });
    const types = (await collect(beside, { id })).map(({ __typename }) => __typename);
    expect(types).toEqual([...BEGINNING.slice(0, 2), 'ResponseCancelledEvent']);
  }
  expect(app.upstream.exchanges).toHaveLength(1);
  expect(office.requests).toEqual([]);
});

test('a run in the background is cancelled like any other', async () => {
  await using app = await startTestApp();
  await using beside = await startTestApp({ beside: app });
  app.upstream.enqueue(hangsAfter('Half'));
  const id = await queue(app);
  await logged(app, id, 'Half');
  const { response } = await cancel(beside, id);
  expect(response).toMatchObject({ status: 'CANCELLED', outputText: 'Half' });
  await (await app.upstream.received(1)).closed;
});

test('the same request again is given the same response, queued or ended', async () => {
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const input = { input: { text: 'Hi' }, background: true, idempotencyKey: 'once' };
  const [one, other] = await Promise.all([createResponse(app, input), createResponse(app, input)]);
  expect(other.id).toBe(one.id);
  await upstream.end();
  await endOf(app, one.id);
  expect(await createResponse(app, input)).toMatchObject({ id: one.id, status: 'COMPLETED' });
  expect(app.upstream.exchanges).toHaveLength(1);
});

test('a background response that is not stored is refused by name', async () => {
  await using app = await startTestApp();
  const { response, errors } = await create(app, { input: { text: 'Hi' }, background: true, store: false });
  expect(response).toBeNull();
  expect(errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['background'] }]);
});

test('a database that falls silent costs a queue some time, and nothing else', async () => {
  await using fleet = await startFleet();
  const timing = { lease: { leaseMs: 60_000, renewMs: 100, sweepMs: 50 } };
  const app = await fleet.startMortal({ timing, config: { maxBackgroundRuns: 1 } });
  const upstream = feed();
  fleet.upstream.enqueue(upstream.answer);
  const ids = [await queue(app), await queue(app), await queue(app)];
  await upstream.say('Half ');
  await logged(app, ids[0] ?? '', 'Half');
  app.freeze();
  await upstream.say('and half');
  await upstream.end();
  app.thaw();
  const ends = [];
  for (const id of ids) ends.push((await endOf(app, id)).outputText);
  expect(ends).toEqual(['Half and half', 'ok', 'ok']);
  expect(fleet.upstream.exchanges).toHaveLength(3);
});
