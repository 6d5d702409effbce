import dns from 'node:dns';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { ask, clientFor, KEY, WHOLE } from '../support/ask-model.ts';
import {
  type Answer,
  chunk,
  DONE,
  hangsAfter,
  json,
  openStream,
  says,
  sse,
  startChatServer,
  write,
} from '../support/chat-server.ts';
import { modelRequest } from '../support/model-request.ts';
import { startUpstreamSockets } from '../support/upstream-sockets.ts';

/** A connection is free for the next call when the loop has turned once; a run commits between two. */
const turn = () => new Promise(setImmediate);

test('calls that follow each other use one connection, whatever ends their streams', async () => {
  await using upstream = await startChatServer();
  const unsaid: Answer = async (exchange) => {
    openStream(exchange);
    exchange.answer.end(sse(chunk({ content: 'no mark' }), chunk({}, 'stop')));
  };
  upstream.enqueue(
    says('a', 'b'),
    unsaid,
    json(200, { choices: [{ message: { content: 'json' } }] }),
    says('c'),
  );
  const client = clientFor(upstream);
  for (const text of ['ab', 'no mark', 'json', 'c']) {
    expect(await ask(client)).toBe(text);
    await turn();
  }
  const sockets = new Set(upstream.exchanges.map(({ request }) => request.socket));
  expect(sockets.size).toBe(1);
});

test('a stream that goes on after its end keeps nobody waiting, and its connection goes after a second', async () => {
  await using upstream = await startChatServer();
  upstream.enqueue(async (exchange) => {
    openStream(exchange);
    await write(exchange, sse(chunk({ content: 'all' }), chunk({}, 'stop')) + DONE);
    await exchange.closed;
  });
  const began = performance.now();
  const client = clientFor(upstream);
  expect(await ask(client)).toBe('all');
  expect(performance.now() - began).toBeLessThan(900);
  expect(await ask(client)).toBe('ok'); // beside it
  await (await upstream.received(1)).closed;
  expect(performance.now() - began).toBeLessThan(4000);
});

test('a call that is aborted before it begins asks for nothing', async () => {
  await using upstream = await startChatServer();
  expect(await ask(clientFor(upstream), AbortSignal.abort('left')).catch((reason) => reason)).toBe('left');
  expect(upstream.exchanges).toHaveLength(0);
});

test('a call that is aborted while it looks for the server ends at once, and asks for nothing', async () => {
  await using upstream = await startUpstreamSockets();
  const found = Promise.withResolvers<() => void>();
  const { lookup } = dns;
  const hold = (name: string, options: dns.LookupAllOptions, tell: TellAll) => {
    if (name !== 'model.test') lookup(name, options, tell);
    else found.resolve(() => tell(null, [{ address: '127.0.0.1', family: 4 }]));
  };
  using _ = vi.spyOn(dns, 'lookup').mockImplementation(hold as typeof lookup);
  const caller = new AbortController();
  const baseUrl = upstream.baseUrl.replace('127.0.0.1', 'model.test');
  const call = ask(clientFor({ baseUrl }), caller.signal).catch((reason) => reason);
  const goOn = await found.promise;
  caller.abort('left');
  expect(await call).toBe('left');
  goOn();
  expect((await upstream.connection(1)).received()).toBe('');
});

type TellAll = (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void;

const SILENT: Answer = ({ closed }) => closed;

const FLOODS: Answer = async (exchange) => {
  openStream(exchange);
  const text = sse(...Array.from({ length: 100 }, () => chunk({ content: 'x'.repeat(1000) })));
  for (let isOpen = true; isOpen; ) {
    if (exchange.answer.write(text)) continue;
    isOpen = await Promise.race([
      once(exchange.answer, 'drain').then(() => true),
      exchange.closed.then(() => false),
    ]);
  }
};

test.each<[string, Answer, boolean]>([
  ['before the headers', SILENT, false],
  ['in mid-stream', hangsAfter('Half a ', 'word'), true],
])('a call that is aborted %s closes its connection', async (_, answer, speaks) => {
  await using upstream = await startChatServer();
  upstream.enqueue(answer);
  const caller = new AbortController();
  const spoken = Promise.withResolvers<void>();
  const take = () => {
    spoken.resolve();
    return null;
  };
  const call = clientFor(upstream).stream(modelRequest(), take, caller.signal);
  const { closed } = await upstream.received(1);
  if (speaks) await spoken.promise;
  caller.abort('left');
  expect(await call.catch((reason: unknown) => reason)).toBe('left');
  await closed;
});

test('a flood that nobody has room for waits at its source, and ends when the call is aborted', async () => {
  await using upstream = await startChatServer();
  upstream.enqueue(FLOODS);
  const caller = new AbortController();
  const room = Promise.withResolvers<void>();
  let taken = 0;
  const take = (): Promise<void> => {
    taken++;
    return room.promise;
  };
  const call = clientFor(upstream).stream(modelRequest(), take, caller.signal);
  const exchange = await upstream.received(1);
  let before = -1;
  const sent = () => exchange.answer.socket?.bytesWritten ?? 0;
  await vi.waitUntil(
    () => {
      const isStill = taken > 0 && sent() === before;
      before = sent();
      return isStill;
    },
    { timeout: 5000, interval: 100 },
  );
  expect(taken).toBe(1);
  expect(sent()).toBeLessThan(24 * 1024 * 1024); // the buffers of two sockets, and 256 KiB
  caller.abort('left');
  room.resolve();
  expect(await call.catch((reason: unknown) => reason)).toBe('left');
  await exchange.closed;
});

test('a redirect that keeps the request sends it again, body and all; the key goes to no other server', async () => {
  await using upstream = await startChatServer();
  await using elsewhere = await startChatServer(says('from elsewhere'));
  const to = (location: string) => json(307, '', { location });
  upstream.enqueue(to(`${upstream.baseUrl}/moved/chat/completions`), says('here'));
  const client = clientFor(upstream);
  expect(await ask(client)).toBe('here');
  const [first, second] = upstream.exchanges;
  expect(second?.body).toEqual(first?.body);
  expect(second?.request).toMatchObject({ method: 'POST', url: '/v1/moved/chat/completions' });
  expect(second?.request.headers.authorization).toBe(`Bearer ${KEY}`);
  upstream.enqueue(to(`${elsewhere.baseUrl}/chat/completions`));
  expect(await ask(client)).toBe('from elsewhere');
  expect(elsewhere.exchanges[0]?.body).toEqual(first?.body);
  expect(elsewhere.exchanges[0]?.request.headers.authorization).toBeUndefined();
});

test('a kept connection that its server closes under the next request: that is sent again, over another', async () => {
  await using upstream = await startUpstreamSockets();
  const client = clientFor(upstream);
  const first = ask(client);
  const one = await upstream.connection(1);
  await one.asked(1);
  one.socket.write(WHOLE);
  expect(await first).toBe('fine');
  await turn();
  const second = ask(client);
  await one.asked(2);
  one.socket.destroy();
  const two = await upstream.connection(2);
  await two.asked(1);
  two.socket.write(WHOLE);
  expect(await second).toBe('fine');
  expect(upstream.connections).toBe(2);
});

test('a kept connection that its server has closed meanwhile is not used', async () => {
  await using upstream = await startUpstreamSockets();
  const client = clientFor(upstream);
  for (const count of [1, 2, 3]) {
    const call = ask(client);
    const { asked, socket, closed } = await upstream.connection(count);
    await asked(1);
    socket.end(WHOLE);
    expect(await call).toBe('fine');
    await closed;
  }
  expect(upstream.connections).toBe(3);
});

test('many calls at once have a connection each, and ending one leaves the others alone', async () => {
  await using upstream = await startChatServer();
  upstream.enqueue(hangsAfter('x'), hangsAfter('y'));
  const client = clientFor(upstream);
  const callers = [new AbortController(), new AbortController()];
  const calls = callers.map(async ({ signal }) => ask(client, signal).catch((reason) => reason));
  await upstream.received(2);
  callers[0]?.abort('left');
  expect(await Promise.race(calls)).toBe('left');
  await Promise.race(upstream.exchanges.map(({ closed }) => closed));
  expect(upstream.exchanges.filter(({ answer }) => answer.destroyed)).toHaveLength(1);
  callers[1]?.abort('left too');
  expect(await Promise.all(calls)).toEqual(['left', 'left too']);
});
