import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ToolFailure } from '../../src/tools/tool-failure.ts';
import { type Internet, openOutbound, playInternet, rejection, startSite } from '../support/internet.ts';

let internet: Internet;

beforeEach(() => {
  internet = playInternet();
});

afterEach(() => {
  internet[Symbol.dispose]();
});

const MAX = 100_000;
const tooLarge = (port: number) => ({
  type: 'protocol',
  message: `The answer of example.com:${port} has more than ${MAX} bytes.`,
});

/** Bodies of a size, in the forms that they come in. */
const FORMS: { readonly [form: string]: (size: number) => RequestListener } = {
  plain: (size) => (_, answer) => answer.setHeader('content-length', size).end('x'.repeat(size)),
  chunked: (size) => (_, answer) => {
    for (let sent = 0; sent < size; sent += 1000) answer.write('x'.repeat(Math.min(1000, size - sent)));
    answer.end();
  },
  gzip: (size) => (_, answer) => answer.setHeader('content-encoding', 'gzip').end(gzipSync('x'.repeat(size))),
  'gzip with a length': (size) => (_, answer) => {
    const body = gzipSync('x'.repeat(size));
    answer.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.byteLength }).end(body);
  },
};

describe.each(Object.entries(FORMS))('a body that is %s', (form, listener) => {
  test('is given whole up to the limit', async () => {
    await using site = await startSite(listener(MAX));
    await using outbound = openOutbound({ maxBytes: MAX });
    const response = await outbound.fetch(`http://example.com:${site.port}/`);
    expect(await response.text()).toBe('x'.repeat(MAX));
  });

  test('fails beyond it, and its connection is ended', async () => {
    await using site = await startSite(listener(MAX + 1));
    await using outbound = openOutbound({ maxBytes: MAX });
    const fetched = outbound.fetch(`http://example.com:${site.port}/`);
    const failure = await rejection(form === 'plain' ? fetched : fetched.then((response) => response.text()));
    expect(failure).toBeInstanceOf(ToolFailure);
    expect(failure).toMatchObject(tooLarge(site.port));
  });
});

test('a length beyond the limit is refused before any of the body has come', async () => {
  await using site = await startSite((_, answer) => {
    answer.writeHead(200, { 'content-length': MAX + 1 }).flushHeaders();
  });
  await using outbound = openOutbound({ maxBytes: MAX });
  expect(await rejection(outbound.fetch(`http://example.com:${site.port}/`))).toMatchObject(
    tooLarge(site.port),
  );
  await expect.poll(() => site.open()).toBe(0);
});

test('an endless body is not read further than the limit', async () => {
  let sent = 0;
  const closed = Promise.withResolvers<void>();
  await using site = await startSite((_, answer) => {
    answer.on('close', closed.resolve);
    const send = () => {
      while (!answer.destroyed && answer.write('x'.repeat(10_000))) sent += 10_000;
    };
    answer.on('drain', send);
    send();
  });
  await using outbound = openOutbound({ maxBytes: MAX });
  const response = await outbound.fetch(`http://example.com:${site.port}/`);
  expect(await rejection(response.text())).toMatchObject(tooLarge(site.port));
  await closed.promise;
  expect(sent).toBeLessThan(50 * 1024 * 1024);
});

test('a bomb of gzip is not unpacked further than the limit', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  await using site = await startSite((_, answer) => answer.setHeader('content-encoding', 'gzip').end(bomb));
  await using outbound = openOutbound({ maxBytes: MAX });
  const response = await outbound.fetch(`http://example.com:${site.port}/`);
  let read = 0;
  const failure = await rejection(
    (async () => {
      for await (const chunk of response.body ?? []) read += chunk.byteLength;
    })(),
  );
  expect(failure).toMatchObject(tooLarge(site.port));
  expect(read).toBeLessThanOrEqual(MAX);
});

test('the limit is 10 MiB if none is given', async () => {
  const limit = 10 * 1024 * 1024;
  await using site = await startSite(({ url }, answer) =>
    answer.end(Buffer.alloc(limit + (url === '/more' ? 1 : 0))),
  );
  await using outbound = openOutbound();
  const response = await outbound.fetch(`http://example.com:${site.port}/`);
  expect((await response.arrayBuffer()).byteLength).toBe(limit);
  expect(await rejection(outbound.fetch(`http://example.com:${site.port}/more`))).toMatchObject({
    type: 'protocol',
  });
});

test('events arrive one by one while their stream stays open', async () => {
  const next = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using site = await startSite(async (_, answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const [index, each] of next.entries()) {
      answer.write(`data: ${index}\n\n`);
      await each.promise;
    }
    answer.end('data: end\n\n');
  });
  await using outbound = openOutbound();
  const response = await outbound.fetch(`http://example.com:${site.port}/`);
  const seen: string[] = [];
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    seen.push(text);
    next[seen.length - 1]?.resolve(); // the next event is sent only once this one has been seen
  }
  expect(seen).toEqual(['data: 0\n\n', 'data: 1\n\n', 'data: end\n\n']);
});

test('a reader that stops ends the connection', async () => {
  await using site = await startSite((_, answer) => void answer.write('data: 1\n\n'));
  await using outbound = openOutbound();
  const response = await outbound.fetch(`http://example.com:${site.port}/`);
  for await (const _ of response.body ?? []) break;
  await expect.poll(() => site.open()).toBe(0);
  const unread = await outbound.fetch(`http://example.com:${site.port}/`);
  await unread.body?.cancel();
  await expect.poll(() => site.open()).toBe(0);
});

test('a body that breaks off fails in a sentence', async () => {
  await using site = await startSite(({ socket }, answer) => {
    answer.writeHead(200, { 'content-length': 10 });
    answer.write('half', () => socket.destroy());
  });
  await using outbound = openOutbound();
  const response = await outbound.fetch(`http://example.com:${site.port}/`);
  const failure = await rejection(response.text());
  expect(failure).toBeInstanceOf(ToolFailure);
  expect(failure).toMatchObject({
    type: 'http',
    message: `The connection to example.com:${site.port} was lost: UND_ERR_SOCKET.`,
  });
});

describe('the response is one of the platform', () => {
  test('with status, headers and URL', async () => {
    await using site = await startSite((_, answer) => {
      answer.writeHead(
        404,
        'Not Here',
        [
          ['x-a', '1'],
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ].flat(),
      );
      answer.end('{"a":1}');
    });
    await using outbound = openOutbound();
    const fetchLike: FetchLike = outbound.fetch;
    const response = await fetchLike(new URL(`http://example.com:${site.port}/p?q#f`));
    expect(response).toBeInstanceOf(Response);
    expect(response).toMatchObject({ ok: false, status: 404, statusText: 'Not Here', redirected: false });
    expect(response.url).toBe(`http://example.com:${site.port}/p?q`);
    expect([response.headers.get('x-a'), response.headers.getSetCookie()]).toEqual(['1', ['a=1', 'b=2']]);
    expect(await response.json()).toEqual({ a: 1 });
  });

  test.each([
    ['caf\u00e9', ''], // in UTF-8 it is no text of Latin-1
    ['\u2602', ''],
    ['a\u0001b', ''],
    ['Not\tHere', 'Not\tHere'],
  ])('with the reason "%s" as "%s", so that it can be copied', async (reason, statusText) => {
    const server = net.createServer((socket) => {
      const encoding = reason === 'caf\u00e9' ? 'latin1' : 'utf8';
      socket.once('data', () =>
        socket.end(`HTTP/1.1 200 ${reason}\r\ncontent-length: 2\r\n\r\nok`, encoding),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using outbound = openOutbound();
    const response = await outbound.fetch(`http://example.com:${(server.address() as AddressInfo).port}/`);
    server.close();
    expect(response.statusText).toBe(statusText);
    expect(await new Response(response.body, response).text()).toBe('ok');
  });

  test.each([
    ['GET', 204],
    ['GET', 304],
    ['HEAD', 200],
  ])('without a body for %s and %i', async (method, status) => {
    await using site = await startSite((_, answer) =>
      answer.writeHead(status, status === 200 ? { 'content-length': 2 * MAX } : {}).end(),
    );
    await using outbound = openOutbound({ maxBytes: MAX });
    const response = await outbound.fetch(`http://example.com:${site.port}/`, { method });
    expect([response.status, response.body]).toEqual([status, null]);
  });
});
