import { expect, test, vi } from 'vitest';
import { calls, feed, says } from '../support/chat-server.ts';
import { checkEventRules } from '../support/event-rules.ts';
import { watchFollowers } from '../support/followers.ts';
import { createResponse } from '../support/graphql.ts';
import { collect, follow, type StreamEvent, TRANSPORTS, textOf } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';

const WORDS = Array.from({ length: 60 }, (_, word) => `w${word} `);

test.each(TRANSPORTS)(
  'coalesceMs on %s: the same text in fewer events, and the rest as it is',
  async (transport) => {
    await using app = await startTestApp();
    using followers = watchFollowers();
    const upstream = feed();
    app.upstream.enqueue(upstream.answer);
    const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
    const plain = collect(app, { id }, transport);
    const joined = collect(app, { id, coalesceMs: 1000 }, transport);
    await vi.waitUntil(() => followers.count === 2, { interval: 5 });
    await upstream.say(...WORDS);
    await upstream.end();
    const [all, fewer] = [await plain, await joined];
    const others = (events: readonly StreamEvent[]) => events.filter((event) => event['delta'] === undefined);
    expect(others(fewer)).toEqual(others(all));
    expect(textOf(fewer)).toBe(WORDS.join(''));
    expect(fewer.length - others(fewer).length).toBeLessThanOrEqual(5);
    // The replay of a stream that is over waits for nothing.
    const begun = performance.now();
    expect(textOf(await collect(app, { id, coalesceMs: 1000 }, transport))).toBe(WORDS.join(''));
    expect(performance.now() - begun).toBeLessThan(900);
  },
);

test.each(TRANSPORTS)(
  'a joined delta on %s has the cursor of the last in it: from there on exactly the rest',
  async (transport) => {
    await using app = await startTestApp();
    const upstream = feed();
    app.upstream.enqueue(upstream.answer);
    const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
    const live = collect(app, { id, coalesceMs: 20 }, transport);
    for (let word = 0; word < 60; word += 3) await upstream.say(...WORDS.slice(word, word + 3));
    await upstream.end();
    const all = await collect(app, { id }, transport);
    const joined = await live;
    for (const [index, { cursor, sequenceNumber }] of joined.entries()) {
      const rest = await collect(app, { id, after: cursor }, transport);
      expect(rest).toEqual(all.slice(sequenceNumber + 1));
      expect(textOf(joined.slice(0, index + 1)) + textOf(rest)).toBe(WORDS.join(''));
    }
  },
);

test.each(TRANSPORTS)('a quiet stream on %s is not held back longer than coalesceMs', async (transport) => {
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  const stream = follow(app, { id, coalesceMs: 30 }, transport);
  await upstream.say('One ', 'two ', 'three');
  let text = '';
  for await (const event of stream) {
    text += event['delta'] ?? '';
    if (text === 'One two three') break; // and the model says nothing more
  }
  await upstream.end();
});

test.each(TRANSPORTS)('types and coalesceMs together on %s', async (transport) => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([{ name: 'look', arguments: '{"a":1}' }], 'Let me see'));
  const tools = [{ function: { name: 'look' } }];
  const { id } = await createResponse(app, { input: { text: 'Hi' }, tools });
  const types = ['OUTPUT_TEXT_DELTA', 'FUNCTION_CALL_ARGUMENTS_DELTA'];
  const events = await collect(app, { id, types, coalesceMs: 100 }, transport);
  expect(events.map(({ __typename, delta }) => [__typename, delta])).toEqual([
    ['ResponseCreatedEvent', undefined],
    ['ResponseInProgressEvent', undefined],
    ['OutputTextDeltaEvent', 'Let me see'],
    ['FunctionCallArgumentsDeltaEvent', '{"a":1}'],
    ['ResponseCompletedEvent', undefined],
  ]);
});

test.each(TRANSPORTS)('an item whose deltas were joined on %s keeps all its rules', async (transport) => {
  await using app = await startTestApp();
  app.upstream.enqueue(says(...WORDS));
  const { id } = await createResponse(app, { input: { text: 'Hi' } });
  const events = await collect(app, { id, coalesceMs: 1 }, transport);
  checkEventRules(events, { joined: true });
  expect(() => checkEventRules(events)).toThrow(); // numbers skip, and only then it may be so
});

test.each(TRANSPORTS)('a coalesceMs out of range is refused by name on %s', async (transport) => {
  await using app = await startTestApp();
  const { id } = await createResponse(app, { input: { text: 'Hi' } });
  for (const coalesceMs of [-1, 1001]) {
    const thrown = await collect(app, { id, coalesceMs }, transport).catch((error: unknown) => error);
    expect(JSON.stringify((thrown as { errors?: unknown }).errors ?? thrown)).toMatch(
      /coalesceMs must be from 0 to 1000.*INVALID_INPUT/,
    );
  }
  expect(textOf(await collect(app, { id, coalesceMs: 1000 }, transport))).toBe('ok');
});
