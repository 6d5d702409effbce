import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toNetworkFailure } from '../../src/tools/outbound/network-failure.ts';
import { ToolFailure } from '../../src/tools/tool-failure.ts';
import {
  type Internet,
  openOutbound,
  playInternet,
  rejection,
  resolver,
  type Site,
  startSite,
} from '../support/internet.ts';

let site: Site;
let internet: Internet;
/** Resolves when the site has got a request that it will not answer. */
let asked: PromiseWithResolvers<void>;

beforeEach(async () => {
  asked = Promise.withResolvers();
  site = await startSite((request, answer) => {
    if (request.url === '/reset') request.socket.destroy();
    else if (request.url === '/silent') asked.resolve();
    else if (request.url === '/half') answer.write('half');
    else answer.end('hello');
  });
  internet = playInternet();
});

afterEach(async () => {
  internet[Symbol.dispose]();
  await site[Symbol.asyncDispose]();
});

const never = () => new Promise<never>(() => {});

describe('a network that fails says how:', () => {
  test('nobody listens', async () => {
    const other = await startSite(() => {});
    await other[Symbol.asyncDispose]();
    await using outbound = openOutbound();
    const failure = await rejection(outbound.fetch(`http://example.com:${other.port}/?key=s3cret`));
    expect(failure).toBeInstanceOf(ToolFailure);
    expect(failure).toMatchObject({
      type: 'http',
      message: `Could not connect to example.com:${other.port}: ECONNREFUSED.`,
    });
  });

  test.each([
    ['https://gone.test/', 'Could not find the address of gone.test:443: ENOTFOUND.'],
    ['http://empty.test/', 'Could not find the address of empty.test.'],
  ])('there is no address for %s', async (url, message) => {
    await using outbound = openOutbound({ resolve: resolver({ 'empty.test': [] }) });
    expect(await rejection(outbound.fetch(url))).toMatchObject({ type: 'http', message });
  });

  test('the system resolver does not know the name', async () => {
    await using outbound = openOutbound({ resolve: undefined });
    const failure = await rejection(outbound.fetch('http://no-such-name.invalid/'));
    expect(failure).toMatchObject({ type: 'http' });
    expect(String(failure)).toContain('Could not find the address of no-such-name.invalid:80: E');
  });

  test('the connection is reset', async () => {
    await using outbound = openOutbound();
    expect(await rejection(outbound.fetch(`http://example.com:${site.port}/reset`))).toMatchObject({
      type: 'http',
      message: `The connection to example.com:${site.port} was lost: UND_ERR_SOCKET.`,
    });
  });

  test('there is no TLS', async () => {
    internet[Symbol.dispose](); // it plays https in plain
    await using outbound = openOutbound({ allowPrivate: true });
    expect(await rejection(outbound.fetch(`https://127.0.0.1:${site.port}/`))).toMatchObject({
      type: 'http',
      message: expect.stringMatching(`^The request to 127.0.0.1:${site.port} failed: ERR_SSL_[A-Z_]+[.]$`),
    });
  });

  test('the answer is not HTTP, and of what it says instead nothing is kept', async () => {
    const server = net.createServer((socket) => {
      socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.9 s3cret\r\n'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using outbound = openOutbound();
    const failure = await rejection(outbound.fetch(`http://example.com:${port}/`));
    server.close();
    const message = `The answer of example.com:${port} is not HTTP.`;
    expect(failure).toMatchObject({ type: 'protocol', message, cause: undefined });
  });

  test('the status is none', async () => {
    await using odd = await startSite((_, answer) => answer.writeHead(999).end());
    await using outbound = openOutbound();
    expect(await rejection(outbound.fetch(`http://example.com:${odd.port}/`))).toMatchObject({
      type: 'protocol',
      message: `example.com:${odd.port} answered with 999, which is no HTTP status.`,
    });
  });

  test('no reason is known', async () => {
    await using proxy = await startSite((_, answer) => answer.writeHead(407).end());
    await using outbound = openOutbound();
    expect(await rejection(outbound.fetch(`http://example.com:${proxy.port}/`))).toMatchObject({
      type: 'http',
      message: `The request to example.com:${proxy.port} failed: no reason is known.`,
    });
  });

  test('no address comes in time', async () => {
    await using outbound = openOutbound({ resolve: never, connectTimeoutMs: 30 });
    expect(await rejection(outbound.fetch('http://slow.test/'))).toMatchObject({
      type: 'timeout',
      message: 'Could not connect to slow.test:80 in time.',
    });
  });

  test('no connection comes in time, whatever was tried meanwhile', () => {
    const tried = new AggregateError([]);
    const timeout = Object.assign(new Error('', { cause: tried }), { code: 'UND_ERR_CONNECT_TIMEOUT' });
    const failure = toNetworkFailure(
      new TypeError('fetch failed', { cause: timeout }),
      new URL('http://slow.test'),
    );
    expect(failure).toMatchObject({
      type: 'timeout',
      message: 'Could not connect to slow.test:80 in time.',
    });
  });

  test('no answer comes in time', async () => {
    await using outbound = openOutbound({ headersTimeoutMs: 30 });
    expect(await rejection(outbound.fetch(`http://slow.test:${site.port}/silent`))).toMatchObject({
      type: 'timeout',
      message: `slow.test:${site.port} did not answer in time.`,
    });
  });
});

test('a request that is malformed is not sent, and its headers are not quoted', async () => {
  await using outbound = openOutbound();
  const headers = { authorization: 'Bearer s3cret\n' + 'x' };
  const failure = await rejection(outbound.fetch(`http://example.com:${site.port}/`, { headers }));
  expect(failure).toMatchObject({
    type: 'http',
    message: `The request to example.com:${site.port} is malformed and was not sent.`,
    cause: undefined,
  });
  expect(site.connections()).toBe(0);
});

describe('an abort rejects with its reason', () => {
  const reason = new Error('The run was cancelled.');

  test('before anything is done', async () => {
    await using outbound = openOutbound();
    const fetched = outbound.fetch(`http://example.com:${site.port}/`, { signal: AbortSignal.abort(reason) });
    expect(await rejection(fetched)).toBe(reason);
    expect(site.connections()).toBe(0);
  });

  test('while the name is looked up', async () => {
    const abort = new AbortController();
    const resolve = () => {
      asked.resolve();
      return never();
    };
    await using outbound = openOutbound({ resolve });
    const fetched = rejection(outbound.fetch('http://slow.test/', { signal: abort.signal }));
    await asked.promise;
    abort.abort(reason);
    expect(await fetched).toBe(reason);
  });

  test('while the server thinks', async () => {
    const abort = new AbortController();
    await using outbound = openOutbound();
    const fetched = rejection(
      outbound.fetch(`http://example.com:${site.port}/silent`, { signal: abort.signal }),
    );
    await asked.promise;
    abort.abort(reason);
    expect(await fetched).toBe(reason);
  });

  test('while the body is read, and the connection ends', async () => {
    const closed = Promise.withResolvers<void>();
    await using half = await startSite((_, answer) => {
      answer.on('close', closed.resolve);
      answer.write('half');
    });
    const abort = new AbortController();
    await using outbound = openOutbound();
    const response = await outbound.fetch(`http://example.com:${half.port}/`, { signal: abort.signal });
    const reader = response.body?.getReader();
    expect(String.fromCharCode(...((await reader?.read())?.value ?? []))).toBe('half');
    const next = rejection(Promise.resolve(reader?.read()));
    abort.abort(reason);
    expect(await next).toBe(reason);
    await closed.promise;
  });

  test('on the way to the target of a redirect', async () => {
    const abort = new AbortController();
    await using from = await startSite((_, answer) => {
      answer.writeHead(307, { location: `http://example.com:${site.port}/silent` }).end();
    });
    await using outbound = openOutbound();
    const fetched = rejection(outbound.fetch(`http://example.com:${from.port}/`, { signal: abort.signal }));
    await asked.promise;
    abort.abort(reason);
    expect(await fetched).toBe(reason);
  });
});

describe('closing', () => {
  test('ends what is under way, sockets too, and may be repeated', async () => {
    const outbound = openOutbound();
    const response = await outbound.fetch(`http://example.com:${site.port}/half`);
    asked = Promise.withResolvers();
    const silent = rejection(outbound.fetch(`http://example.com:${site.port}/silent`));
    await asked.promise;
    await Promise.all([outbound.close(), outbound.close()]);
    await outbound.close();
    const message = `The request to example.com:${site.port} was given up, because this server is stopping.`;
    expect(await silent).toMatchObject({ type: 'http', message });
    expect(await rejection(response.text())).toMatchObject({ type: 'http', message });
    await expect.poll(() => site.open()).toBe(0);
  });

  test('leaves nothing to be sent later', async () => {
    const outbound = openOutbound();
    await outbound.close();
    const failure = await rejection(outbound.fetch(`http://example.com:${site.port}/`));
    expect(String(failure)).toContain('was given up, because this server is stopping');
    expect(site.connections()).toBe(0);
  });
});
