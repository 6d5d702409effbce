import { expect, test, vi } from 'vitest';
import { feed, hangsAfter } from '../support/chat-server.ts';
import { CREATE, createResponse, readResponse, send } from '../support/graphql.ts';
import { openSocket } from '../support/raw-socket.ts';
import { collect } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const PATIENT = { timing: { runGraceMs: 10_000, answerGraceMs: 200 } };
const FOLLOW = 'subscription ($id: ID!) { responseStream(id: $id) { __typename cursor } }';

async function started(app: TestApp) {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  await upstream.say('Half ');
  return { id: id as string, upstream };
}

async function isReady({ url }: TestApp): Promise<number> {
  return (await fetch(new URL('/ready', url))).status;
}

test('a server that stops takes no more runs, lets those in flight end, and only then sends followers elsewhere', async () => {
  await using app = await startTestApp(PATIENT);
  const { id, upstream } = await started(app);
  const waited = feed();
  app.upstream.enqueue(waited.answer);
  const waiting = createResponse(app, { input: { text: 'Wait' } });
  await waited.say('Waited ');
  const socket = await openSocket(app);
  socket.subscribe('1', FOLLOW, { id });
  expect(await isReady(app)).toBe(200);

  const stopped = app.app.stop();
  expect(await isReady(app)).toBe(503);
  expect((await fetch(new URL('/health', app.url))).status).toBe(200);
  const refused = await send(app, CREATE, { input: { input: { text: 'Late' } } });
  expect(refused).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  await upstream.say('a word');
  await upstream.end();
  await waited.say('for');
  await waited.end();
  expect(await waiting).toMatchObject({ status: 'COMPLETED', outputText: 'Waited for' });
  expect(await socket.closed).toBe(1012);
  await stopped;

  const types = socket.messages.map(({ type, payload }) => {
    const data = payload as { data?: { responseStream: { __typename: string } } } | undefined;
    return data?.data?.responseStream.__typename ?? type;
  });
  expect(types.slice(-2)).toEqual(['ResponseCompletedEvent', 'complete']);
  await using beside = await startTestApp({ beside: app });
  expect(await readResponse(beside, id)).toMatchObject({ status: 'COMPLETED', outputText: 'Half a word' });
});

test('a follower of a run elsewhere is not told that the stream is over: it goes on at another server', async () => {
  await using owner = await startTestApp();
  await using app = await startTestApp({ beside: owner, ...PATIENT });
  const { id, upstream } = await started(owner);
  const socket = await openSocket(app);
  socket.subscribe('1', FOLLOW, { id });
  const sse = await fetch(app.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: FOLLOW, variables: { id } }),
  });
  const heard: string[] = [];
  const cut = (async () => {
    for await (const chunk of sse.body ?? []) heard.push(new TextDecoder().decode(chunk));
    return 'ended';
  })().catch(() => 'cut');
  const seen = () => socket.messages.filter(({ type }) => type === 'next').length;
  await vi.waitUntil(() => seen() >= 4 && heard.join('').includes('OutputTextDeltaEvent'), { interval: 5 });
  await app.app.stop();
  expect(await socket.closed).toBe(1012);
  expect(socket.messages.map(({ type }) => type)).not.toContain('complete');
  expect(await cut).toBe('cut');
  expect(heard.join('')).not.toContain('event: complete');
  const last = socket.messages.findLast(({ type }) => type === 'next')?.['payload'] as {
    data: { responseStream: { cursor: string } };
  };
  await upstream.say('a word');
  await upstream.end();
  const rest = await collect(owner, { id, after: last.data.responseStream.cursor });
  expect(rest.at(-1)).toMatchObject({ response: { outputText: 'Half a word' } });
});

test('what does not end in time is ended as failed, with what it had said', async () => {
  await using app = await startTestApp({ timing: { runGraceMs: 200 } });
  app.upstream.enqueue(hangsAfter('Half a ', 'word'));
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  await vi.waitUntil(async () => (await readResponse(app, id)).outputText === 'Half a word', { interval: 5 });
  const exchange = await app.upstream.received(1);
  await app.app.stop();
  await exchange.closed;
  await using beside = await startTestApp({ beside: app });
  expect(await readResponse(beside, id)).toMatchObject({
    status: 'FAILED',
    outputText: 'Half a word',
    error: { code: 'server_error', message: 'The server was stopped before this response was complete.' },
  });
});

test('a server with nothing to do stops at once, whoever is connected', async () => {
  await using app = await startTestApp({ timing: { runGraceMs: 60_000 } });
  const socket = await openSocket(app);
  const began = performance.now();
  await app.app.stop();
  expect(performance.now() - began).toBeLessThan(2000);
  expect(await socket.closed).toBe(1012);
});
