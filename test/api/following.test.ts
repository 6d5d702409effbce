import { expect, test, vi } from 'vitest';
import { feed, says } from '../support/chat-server.ts';
import { checkEventRules } from '../support/event-rules.ts';
import { watchFollowers } from '../support/followers.ts';
import { ask, createResponse, readResponse } from '../support/graphql.ts';
import { collect, follow, type StreamEvent, TRANSPORTS, textOf } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const DELETE = 'mutation ($id: ID!) { deleteResponse(input: { id: $id }) { deletedId } }';
const UNKNOWN = `resp_${'0'.repeat(32)}`;

async function started(app: TestApp) {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  return { id: id as string, upstream };
}

/** The code and the message of the error with which a subscription ends. */
async function refusalOf(stream: Promise<unknown>): Promise<object> {
  const thrown = await stream.then(
    () => ({}),
    (error: unknown) => error,
  );
  // graphql-ws throws the errors themselves, graphql-sse gives them in a result
  const [first] = Array.isArray(thrown) ? thrown : (thrown as { errors: never[] }).errors;
  return first;
}

/** Reads until this much text has come. */
async function readUntil(stream: AsyncGenerator<StreamEvent, void>, text: string): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of stream) {
    events.push(event);
    if (textOf(events) === text) break;
  }
  return events;
}

test.each(TRANSPORTS)(
  '%s replays an ended response, and from every cursor exactly the rest',
  async (transport) => {
    await using app = await startTestApp();
    const { id, upstream } = await started(app);
    const live = collect(app, { id }, transport);
    await upstream.say('One ', 'two ', 'three ', 'four');
    await upstream.end();
    const events = await live;
    expect(await collect(app, { id }, transport)).toEqual(events);
    const rests = await Promise.all(
      events.map(({ cursor }) => collect(app, { id, after: cursor }, transport)),
    );
    rests.forEach((rest, index) => {
      expect(rest).toEqual(events.slice(index + 1));
    });
    const { streamCursor } = await readResponse(app, id);
    expect(streamCursor).toBe(events.at(-1)?.cursor);
    expect(await collect(app, { id, after: streamCursor }, transport)).toEqual([]);
  },
);

test.each(TRANSPORTS)(
  '%s resumes in flight behind every cursor without gap or repetition',
  async (transport) => {
    await using app = await startTestApp();
    const { id, upstream } = await started(app);
    await upstream.say('One ', 'two ', 'three ');
    const begun = await readUntil(follow(app, { id }, transport), 'One two three ');
    const rests = begun.map(({ cursor }) => collect(app, { id, after: cursor }, transport));
    await upstream.say('four ', 'five');
    await upstream.end();
    const whole = await collect(app, { id }, transport);
    expect(whole.slice(0, begun.length)).toEqual(begun);
    for (const [index, rest] of rests.entries()) expect(await rest).toEqual(whole.slice(index + 1));
  },
);

test.each(TRANSPORTS)(
  'a snapshot and %s from its streamCursor join without a seam in flight',
  async (transport) => {
    await using app = await startTestApp();
    const { id, upstream } = await started(app);
    const joined: Promise<string>[] = [];
    for (let word = 0; word < 12; word++) {
      await upstream.say(`${word} `, 'and ');
      const { outputText, streamCursor } = await readResponse(app, id); // at whatever place it has come to
      const rest = collect(app, { id, after: streamCursor }, transport);
      joined.push(rest.then((events) => outputText + textOf(events)));
    }
    await upstream.end();
    expect(new Set(await Promise.all(joined)).size).toBe(1);
  },
);

test.each(TRANSPORTS)(
  'types leaves out other events on %s, but never those of the lifecycle',
  async (transport) => {
    await using app = await startTestApp();
    app.upstream.enqueue(says('One ', 'two'));
    const { id } = await createResponse(app, { input: { text: 'Hi' } });
    const all = await collect(app, { id }, transport);
    const lifecycle = all.filter(({ response }) => response !== undefined);
    expect(await collect(app, { id, types: [] }, transport)).toEqual(lifecycle);
    const wanted = await collect(app, { id, types: ['OUTPUT_TEXT_DONE', 'OUTPUT_ITEM_ADDED'] }, transport);
    expect(wanted.map(({ __typename }) => __typename)).toEqual([
      'ResponseCreatedEvent',
      'ResponseInProgressEvent',
      'OutputItemAddedEvent',
      'OutputTextDoneEvent',
      'ResponseCompletedEvent',
    ]);
    expect(all).toEqual(expect.arrayContaining([...wanted]));
  },
);

test.each(TRANSPORTS)('an unknown, a malformed and a deleted id end %s with NOT_FOUND', async (transport) => {
  await using app = await startTestApp();
  const { id, streamCursor } = await createResponse(app, { input: { text: 'Hi' } });
  await ask(app, DELETE, { id });
  for (const gone of [UNKNOWN, 'nonsense', '', id, `${id}\0`]) {
    const refusal = await refusalOf(collect(app, { id: gone }, transport));
    expect(refusal).toMatchObject({ extensions: { code: 'NOT_FOUND' } });
  }
  expect(await refusalOf(collect(app, { id, after: streamCursor }, transport))).toMatchObject({
    extensions: { code: 'NOT_FOUND' },
  });
});

test.each(TRANSPORTS)('a cursor that %s was never given is INVALID_INPUT', async (transport) => {
  await using app = await startTestApp();
  const { id, upstream } = await started(app);
  const other = await started(app);
  const foreign = (await readResponse(app, other.id)).streamCursor;
  const { streamCursor } = await readResponse(app, id);
  const notYet = streamCursor.replace(/\d+$/, (number: string) => String(Number(number) + 1));
  expect(notYet).not.toBe(streamCursor);
  for (const after of ['', 'nonsense', foreign, notYet, `${id}~-1`, `${id}~1.5`, `${id}~99999999999`]) {
    const refusal = await refusalOf(collect(app, { id, after }, transport));
    expect(refusal, after).toMatchObject({ extensions: { code: 'INVALID_INPUT' } });
  }
  await Promise.all([upstream.end(), other.upstream.end()]);
});

test.each(TRANSPORTS)('%s on another instance sees everything', async (transport) => {
  await using app = await startTestApp();
  await using beside = await startTestApp({ beside: app });
  const { id, upstream } = await started(app);
  const near = collect(app, { id }, transport);
  const far = collect(beside, { id }, transport);
  for (let word = 0; word < 10; word++) {
    await upstream.say(`${word} `);
    const said = Array.from({ length: word + 1 }, (_, each) => `${each} `).join('');
    await vi.waitUntil(async () => (await readResponse(beside, id)).outputText === said, { interval: 10 });
  }
  await upstream.end();
  expect(await far).toEqual(await near);
});

test.each(TRANSPORTS)(
  '%s goes on after a cut connection, and the joined text is the whole text',
  async (transport) => {
    await using app = await startTestApp();
    const { id, upstream } = await started(app);
    const events: StreamEvent[] = [];
    for (const word of ['One ', 'two ', 'three ']) {
      await upstream.say(word);
      const after = events.at(-1)?.cursor;
      // Leaving the loop closes the connection in mid-stream.
      events.push(...(await readUntil(follow(app, { id, ...(after && { after }) }, transport), word)));
    }
    await upstream.say('four');
    await upstream.end();
    events.push(...(await collect(app, { id, after: events.at(-1)?.cursor ?? '' }, transport)));
    checkEventRules(events);
    expect(textOf(events)).toBe('One two three four');
  },
);

test('a follower far behind is given a long log in pages, and what comes meanwhile behind them', async () => {
  await using app = await startTestApp();
  const { id, upstream } = await started(app);
  const slow = follow(app, { id });
  const events = [(await slow.next()).value as StreamEvent];
  const words = Array.from({ length: 3000 }, (_, word) => `${word} `);
  await upstream.say(...words);
  await upstream.end();
  for await (const event of slow) events.push(event);
  checkEventRules(events);
  expect(textOf(events)).toBe(words.join(''));
  expect(await collect(app, { id })).toEqual(events);
});

test.each(TRANSPORTS)('%s resumes on another instance behind every cursor', async (transport) => {
  await using app = await startTestApp();
  await using beside = await startTestApp({ beside: app });
  const { id, upstream } = await started(app);
  await upstream.say('One ', 'two ', 'three ');
  const begun = await readUntil(follow(app, { id }, transport), 'One two three ');
  const rests = begun.map(({ cursor }) => collect(beside, { id, after: cursor }, transport));
  await upstream.say('four');
  await upstream.end();
  const whole = await collect(beside, { id }, transport);
  for (const [index, rest] of rests.entries()) expect(await rest).toEqual(whole.slice(index + 1));
});

test('a follower elsewhere is not left waiting for a response that was deleted before it saw its end', async () => {
  await using app = await startTestApp();
  await using beside = await startTestApp({ beside: app, timing: { pollMs: 1000 } });
  const { id, upstream } = await started(app);
  using followers = watchFollowers();
  const far = collect(beside, { id, types: [] }).then(
    (events) => events.at(-1)?.__typename,
    ([refusal]) => refusal.extensions.code,
  );
  await vi.waitUntil(() => followers.count === 1, { interval: 5 });
  await upstream.end();
  await vi.waitUntil(async () => (await readResponse(app, id)).status === 'COMPLETED', { interval: 5 });
  await ask(app, DELETE, { id });
  // Whichever came first: never an end that says nothing.
  expect(['ResponseCompletedEvent', 'NOT_FOUND']).toContain(await far);
});
