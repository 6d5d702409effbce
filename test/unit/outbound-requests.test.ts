import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Internet, openOutbound, playInternet, startSite } from '../support/internet.ts';

let internet: Internet;

beforeEach(() => {
  internet = playInternet();
});

afterEach(() => {
  internet[Symbol.dispose]();
});

describe('a body of a known size', () => {
  const BODIES = [
    ['POST', 'question'],
    ['POST', ''],
    ['PUT', 'ü'.repeat(100_000)],
    ['DELETE', 'question'],
  ] as const;

  test.each(BODIES)(
    'is sent once by %s, though the server answers that it is the wrong one',
    async (method, body) => {
      const seen: string[] = [];
      await using site = await startSite(async (request, answer) => {
        seen.push(await text(request));
        answer.writeHead(421).end('not here');
      });
      await using outbound = openOutbound();
      const response = await outbound.fetch(`http://example.com:${site.port}/`, { method, body });
      expect([response.status, await response.text()]).toEqual([421, 'not here']);
      expect(seen).toEqual([body]);
    },
  );

  test.each(BODIES)('is sent by %s with its length, and not in chunks', async (method, body) => {
    const seen: IncomingHttpHeaders[] = [];
    await using site = await startSite(async (request, answer) => {
      seen.push(request.headers);
      answer.end(await text(request));
    });
    await using outbound = openOutbound();
    const response = await outbound.fetch(`http://example.com:${site.port}/`, { method, body });
    expect(await response.text()).toBe(body);
    expect(seen[0]).toMatchObject({ 'content-length': String(Buffer.byteLength(body)) });
    expect(seen[0]).not.toHaveProperty('transfer-encoding');
  });
});

describe('to one origin there are 32 connections', () => {
  /** Answers as soon as 32 requests wait, and from then on at once. */
  async function startBusySite() {
    const busy = Promise.withResolvers<void>();
    let waiting = 0;
    return await startSite(async (_, answer) => {
      if (++waiting === 32) busy.resolve();
      await busy.promise;
      answer.end();
    });
  }

  test.each(['GET', 'POST'])('at most for %s, and the next wait for one of them', async (method) => {
    await using site = await startBusySite();
    await using outbound = openOutbound();
    const url = `http://example.com:${site.port}/`;
    const fetches = Array.from({ length: 40 }, async () => (await outbound.fetch(url, { method })).text());
    expect(await Promise.all(fetches)).toHaveLength(40);
    expect(site.connections()).toBe(32);
  });

  test('for streams, and a call does not wait for these to end', async () => {
    await using site = await startSite(({ method }, answer) => {
      if (method === 'GET') answer.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      else answer.end('called');
    });
    await using outbound = openOutbound();
    const url = `http://example.com:${site.port}/`;
    const streams = await Promise.all(Array.from({ length: 32 }, () => outbound.fetch(url)));
    const called = await outbound.fetch(url, { method: 'POST', body: 'call' });
    expect([await called.text(), site.connections()]).toEqual(['called', 33]);
    await Promise.all(streams.map((stream) => stream.body?.cancel()));
  });
});
