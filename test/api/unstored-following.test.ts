import { expect, test, vi } from 'vitest';
import { calls, feed, says } from '../support/chat-server.ts';
import { watchFollowers } from '../support/followers.ts';
import { createResponse, readResponse } from '../support/graphql.ts';
import { collect, follow, type StreamEvent, TRANSPORTS, textOf } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

async function started(app: TestApp) {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true, store: false });
  return { id: id as string, upstream };
}

test.each(TRANSPORTS)(
  'a run that is not stored is followed on %s, and resumed behind every cursor',
  async (transport) => {
    await using app = await startTestApp();
    const { id, upstream } = await started(app);
    const live = collect(app, { id }, transport);
    await upstream.say('One ', 'two ');
    const begun: StreamEvent[] = [];
    for await (const event of follow(app, { id }, transport)) {
      begun.push(event);
      if (textOf(begun) === 'One two ') break;
    }
    const rests = begun.map(({ cursor }) => collect(app, { id, after: cursor }, transport));
    await upstream.say('three');
    await upstream.end();
    const events = await live; // its rules are checked
    expect(textOf(events)).toBe('One two three');
    expect(events.slice(0, begun.length)).toEqual(begun);
    for (const [index, rest] of rests.entries()) expect(await rest).toEqual(events.slice(index + 1));
    for (const [index, { cursor }] of events.entries())
      expect(await collect(app, { id, after: cursor }, transport)).toEqual(events.slice(index + 1));
  },
);

test.each(TRANSPORTS)(
  'its snapshot and the stream from there on %s join without a seam',
  async (transport) => {
    await using app = await startTestApp();
    const { id, upstream } = await started(app);
    const joined: Promise<string>[] = [];
    for (let word = 0; word < 8; word++) {
      await upstream.say(`${word} `, 'and ');
      const { outputText, streamCursor, status } = await readResponse(app, id);
      expect(status).toBe('IN_PROGRESS');
      const rest = collect(app, { id, after: streamCursor }, transport);
      joined.push(rest.then((events) => outputText + textOf(events)));
    }
    await upstream.end();
    expect(new Set(await Promise.all(joined)).size).toBe(1);
    await vi.waitUntil(async () => (await readResponse(app, id)) === null, { interval: 5 });
  },
);

test('types and coalesceMs shape it like the others', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says(...Array.from({ length: 50 }, (_, word) => `${word} `)));
  const { id } = await createResponse(app, { input: { text: 'Hi' }, store: false });
  const all = await collect(app, { id });
  const joined = await collect(app, { id, types: ['OUTPUT_TEXT_DELTA'], coalesceMs: 1000 });
  expect(textOf(joined)).toBe(textOf(all));
  expect(joined).toHaveLength(4);
});

test('tools run in it and show in its stream', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([{ name: 'look', arguments: '{"a":1}' }]));
  const input = { input: { text: 'Hi' }, store: false, tools: [{ function: { name: 'look' } }] };
  const { id, output } = await createResponse(app, input);
  const events = await collect(app, { id });
  expect(events.at(-1)?.['response'].output).toEqual(output);
});

test.each(TRANSPORTS)(
  'elsewhere it is unknown, and so is a cursor that it has not given out (%s)',
  async (transport) => {
    await using app = await startTestApp();
    await using beside = await startTestApp({ beside: app });
    const { id, upstream } = await started(app);
    const { streamCursor } = await readResponse(app, id);
    const refusal = async (server: TestApp, after?: string) => {
      const thrown = await collect(server, { id, after }, transport).catch((error: unknown) => error);
      return JSON.stringify((thrown as { errors?: unknown }).errors ?? thrown);
    };
    expect(await refusal(beside)).toContain('NOT_FOUND');
    expect(await refusal(beside, streamCursor)).toContain('NOT_FOUND');
    expect(await readResponse(beside, id)).toBeNull();
    for (const after of [`${streamCursor}9`, 'nonsense', `resp_${'0'.repeat(32)}~1`])
      expect(await refusal(app, after), after).toContain('INVALID_INPUT');
    await upstream.end();
  },
);

test('100 followers of it are all given the same, and released at its end', async () => {
  await using app = await startTestApp();
  using followers = watchFollowers();
  const { id, upstream } = await started(app);
  const all = Array.from({ length: 100 }, (_, index) => collect(app, { id }, TRANSPORTS[index % 2]));
  await vi.waitUntil(() => followers.count === 100, { timeout: 5000, interval: 5 });
  await upstream.say('One ', 'two');
  await upstream.end();
  const [first, ...others] = await Promise.all(all);
  for (const other of others) expect(other).toEqual(first);
  expect(followers.count).toBe(0);
});
