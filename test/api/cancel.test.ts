import { expect, test, vi } from 'vitest';
import { cancel } from '../support/cancel.ts';
import { feed, hangsAfter, says } from '../support/chat-server.ts';
import { ask, createResponse, readResponse } from '../support/graphql.ts';
import { collect } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

async function started(app: TestApp, ...words: readonly string[]) {
  app.upstream.enqueue(hangsAfter(...words));
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  const exchange = await app.upstream.received(app.upstream.exchanges.length || 1);
  const text = words.join('');
  await vi.waitUntil(async () => (await readResponse(app, id)).outputText === text, { interval: 10 });
  return { id: id as string, exchange };
}

/** Loses every wake-up, as if nobody sent any. */
const deaf = (real: { close(): Promise<void> }) => ({
  send: () => {},
  listen: () => {},
  close: () => real.close(),
});

const cancelled = { status: 'CANCELLED', outputText: 'Once upon', output: [{ status: 'INCOMPLETE' }] };

test.each(['its own instance', 'another instance'])('a run is cancelled from %s', async (where) => {
  await using app = await startTestApp({ timing: { pollMs: 1000 } });
  await using beside = await startTestApp({ beside: app });
  const { id, exchange } = await started(app, 'Once ', 'upon');
  const live = collect(beside, { id });
  const asked = performance.now();
  const answer = cancel(where === 'another instance' ? beside : app, id);
  await exchange.closed;
  expect(performance.now() - asked).toBeLessThan(1000);
  const { response, errors } = await answer;
  expect(errors).toEqual([]);
  expect(response).toMatchObject({ ...cancelled, error: null });
  expect(await readResponse(beside, id)).toEqual(response);
  const events = await live;
  expect(events.at(-1)).toMatchObject({ __typename: 'ResponseCancelledEvent', response });
});

test('a lost notification is made up for at the next poll', async () => {
  await using app = await startTestApp({ timing: { pollMs: 1000, throughWakeUps: deaf } });
  await using beside = await startTestApp({ beside: app });
  const { id, exchange } = await started(app, 'Once ', 'upon');
  const asked = performance.now();
  const answer = cancel(beside, id);
  await exchange.closed;
  expect(performance.now() - asked).toBeLessThan(2000);
  expect(await answer).toMatchObject({ response: cancelled, errors: [] });
});

test('cancelling again gives the same answer, at the same time and later', async () => {
  await using app = await startTestApp();
  await using beside = await startTestApp({ beside: app });
  const { id } = await started(app, 'Once ', 'upon');
  const answers = await Promise.all([
    cancel(app, id),
    cancel(beside, id),
    cancel(app, id),
    cancel(beside, id),
  ]);
  answers.push(await cancel(app, id), await cancel(beside, id));
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(answers[0]).toMatchObject({ response: cancelled, errors: [] });
});

test('what has ended otherwise is given back with a conflict', async () => {
  await using app = await startTestApp();
  const response = await createResponse(app, { input: { text: 'Hi' } });
  expect(await cancel(app, response.id)).toEqual({
    response,
    errors: [
      {
        __typename: 'ConflictError',
        code: 'ALREADY_ENDED',
        message: `The response "${response.id}" has ended already.`,
        path: ['id'],
      },
    ],
  });
});

test.each([`resp_${'0'.repeat(32)}`, 'nonsense'])('the id %s is not found', async (id) => {
  await using app = await startTestApp();
  const error = { __typename: 'NotFoundError', code: 'RESPONSE_NOT_FOUND', path: ['id'] };
  expect(await cancel(app, id)).toMatchObject({ response: null, errors: [error] });
});

test('at the very moment of completion there is one end, and the answer agrees with it, 200 times', async () => {
  await using app = await startTestApp();
  await using beside = await startTestApp({ beside: app });
  const ends: { [status: string]: number } = {};
  const race = async (turn: number) => {
    const upstream = feed();
    app.upstream.enqueue(upstream.answer);
    const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
    await upstream.say('Done');
    const canceller = turn % 2 === 0 ? app : beside;
    // From well before the end to well after it, however fast this machine is.
    const lead = turn % 4 === 3 ? turn % 21 : -(2 ** (turn % 13));
    const turns = async (count: number) => {
      for (let each = 0; each < count; each++) await new Promise(setImmediate);
    };
    void turns(-lead).then(() => upstream.end()); // which may find nobody there any more
    await turns(lead);
    const { response, errors } = await cancel(canceller, id);
    expect(['CANCELLED', 'COMPLETED']).toContain(response.status);
    expect(errors.map(({ code }: { code: string }) => code)).toEqual(
      response.status === 'CANCELLED' ? [] : ['ALREADY_ENDED'],
    );
    expect((await collect(app, { id })).at(-1)?.['response']).toEqual(response);
    expect(await readResponse(beside, id)).toEqual(response);
    ends[response.status] = (ends[response.status] ?? 0) + 1;
  };
  // One after the other: the answers of the upstream are queued in the order of the requests.
  for (let turn = 0; turn < 200; turn++) await race(turn);
  expect(Object.keys(ends).sort()).toEqual(['CANCELLED', 'COMPLETED']);
  const [row] = await app.database.sql`
    select count(*)::int as ends from events e, lateral json_array_elements(e.body::json) event
    where event->>'type' in ('response.completed', 'response.cancelled', 'response.failed')`;
  expect(row?.['ends']).toBe(200);
}, 40_000);

test('a caller that waits for a run is told that it was cancelled', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(hangsAfter('Once ', 'upon'));
  const answer = createResponse(app, { input: { text: 'Hi' } });
  const [{ id }] = await vi.waitUntil(
    async () => {
      const { responses } = await ask(app, '{ responses { nodes { id outputText } } }');
      return responses.nodes[0]?.outputText === 'Once upon' && responses.nodes;
    },
    { interval: 10 },
  );
  await cancel(app, id);
  expect(await answer).toMatchObject(cancelled);
});

test('a response that waits in the queue is cancelled without a word to the model', async () => {
  await using app = await startTestApp({ config: { maxBackgroundRuns: 1 } });
  await using beside = await startTestApp({ beside: app, config: { maxBackgroundRuns: 1 } });
  for (let each = 0; each < 2; each++) {
    app.upstream.enqueue(hangsAfter('Busy'));
    await createResponse(app, { input: { text: 'Hi' }, background: true });
  }
  await app.upstream.received(2);
  const { id, status } = await createResponse(app, { input: { text: 'Hi' }, background: true });
  expect(status).toBe('QUEUED');
  const live = collect(app, { id });
  const { response, errors } = await cancel(beside, id);
  expect(errors).toEqual([]);
  expect(response).toMatchObject({ status: 'CANCELLED', output: [] });
  expect((await live).at(-1)).toMatchObject({ __typename: 'ResponseCancelledEvent', response });
  expect(app.upstream.exchanges).toHaveLength(2);
});

test('the run of a dead process ends as cancelled if that was wanted', async () => {
  const frozen = { lease: { leaseMs: 400, renewMs: 3_600_000, sweepMs: 3_600_000 }, pollMs: 3_600_000 };
  await using vanished = await startTestApp({ timing: { ...frozen, throughWakeUps: deaf } });
  const { id } = await started(vanished, 'Once ', 'upon');
  const quick = { lease: { leaseMs: 1000, renewMs: 100, sweepMs: 100 } };
  await using app = await startTestApp({ beside: vanished, timing: quick });
  expect(await cancel(app, id)).toMatchObject({ response: cancelled, errors: [] });
});

test('what is not stored is cancelled where it runs, and is unknown elsewhere', async () => {
  await using app = await startTestApp();
  await using beside = await startTestApp({ beside: app });
  app.upstream.enqueue(hangsAfter('Once ', 'upon'));
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true, store: false });
  const exchange = await app.upstream.received(1);
  const live = collect(app, { id });
  expect(await cancel(beside, id)).toMatchObject({
    response: null,
    errors: [{ code: 'RESPONSE_NOT_FOUND' }],
  });
  await vi.waitUntil(async () => (await readResponse(app, id))?.outputText === 'Once upon', { interval: 10 });
  expect(await cancel(app, id)).toMatchObject({ response: cancelled, errors: [] });
  await exchange.closed;
  expect((await live).at(-1)?.__typename).toBe('ResponseCancelledEvent');
});

test('a run whose model has said nothing yet is cancelled too, and so is one between two tries', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(({ closed }) => closed);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  const exchange = await app.upstream.received(1);
  expect(await cancel(app, id)).toMatchObject({ response: { status: 'CANCELLED', output: [] } });
  await exchange.closed;
  app.upstream.enqueue(
    ({ answer }) => void answer.writeHead(429, { 'retry-after': '30' }).end(),
    says('late'),
  );
  const second = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  await app.upstream.received(2);
  expect(await cancel(app, second.id)).toMatchObject({ response: { status: 'CANCELLED' } });
  expect(app.upstream.exchanges).toHaveLength(2);
});
