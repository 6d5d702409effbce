import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ToolFailure } from '../../src/tools/tool-failure.ts';
import {
  type Internet,
  openOutbound,
  PUBLIC,
  playInternet,
  rejection,
  resolver,
  type Site,
  startSite,
} from '../support/internet.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let internet: Internet;
let site: Site;
let seen: Seen[];

/** Redirects `/<status>?<location>`, whatever the name of the host is; answers everything else. */
beforeEach(async () => {
  internet = playInternet();
  seen = [];
  site = await startSite(async (request, answer) => {
    const { method, url = '', headers } = request;
    seen.push({ method, url, headers, body: await text(request) });
    const [, status, location] = /^\/(\d+)\?(.*)$/.exec(url) ?? [];
    if (status === undefined) answer.end('hello');
    else answer.writeHead(Number(status), location === '' ? {} : { location }).end('moved');
  });
});

afterEach(async () => {
  internet[Symbol.dispose]();
  await site[Symbol.asyncDispose]();
});

const from = (status: number, location: string) => `http://first.test:${site.port}/${status}?${location}`;

describe('a redirect is refused, and nobody is connected to for it', () => {
  test.each([
    'http://127.0.0.1:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://2130706433:PORT/',
    'http://localhost:PORT/',
    '//localhost:PORT/',
    'http://169.254.169.254/latest/meta-data',
    'http://rebind.test:PORT/',
    'http://user:hunter2@first.test:PORT/',
    'file:///etc/passwd',
    'data:text/plain,hi',
    'ftp://first.test/',
  ])('to %s', async (target) => {
    const resolve = resolver({ 'first.test': [PUBLIC], 'rebind.test': [PUBLIC, '127.0.0.1'] });
    await using outbound = openOutbound({ resolve });
    const failure = await rejection(outbound.fetch(from(302, target.replace('PORT', String(site.port)))));
    expect(failure).toBeInstanceOf(ToolFailure);
    expect(failure).toMatchObject({ type: 'blocked' });
    expect(String(failure)).not.toContain('hunter2');
    expect([internet.reached, seen.length]).toEqual([[PUBLIC], 1]);
  });

  test('to a link-local address, with allowPrivate too', async () => {
    await using outbound = openOutbound({ allowPrivate: true });
    const failure = await rejection(outbound.fetch(from(302, 'http://169.254.169.254/')));
    expect(failure).toMatchObject({ type: 'blocked' });
    expect(internet.reached).toEqual([PUBLIC]);
  });

  test('from https down to http, with allowPrivate too', async () => {
    await using outbound = openOutbound({ allowPrivate: true });
    const down = from(302, `http://first.test:${site.port}/plain`).replace('http:', 'https:');
    const failure = await rejection(outbound.fetch(down));
    expect(failure).toMatchObject({
      type: 'blocked',
      message: `"first.test:${site.port}" redirected from https to http, which is not followed.`,
    });
    expect(seen.length).toBe(1);
    const up = await outbound.fetch(from(302, `https://first.test:${site.port}/secure`));
    expect(await up.text()).toBe('hello');
  });

  test('to what is no URL', async () => {
    await using outbound = openOutbound();
    expect(await rejection(outbound.fetch(from(302, 'http://[')))).toMatchObject({ type: 'protocol' });
    expect(seen.length).toBe(1);
  });
});

const HEADERS = {
  accept: 'application/json',
  'accept-language': 'de',
  'content-type': 'text/plain',
  'user-agent': 'tests',
  'mcp-session-id': 'given by the server',
  authorization: 'Bearer s3cret',
  cookie: 'a=s3cret',
  'x-api-key': 's3cret',
};
const SENT = Object.entries(HEADERS);
const HARMLESS = SENT.slice(0, 5);
const givenTo = (request: Seen | undefined) =>
  SENT.filter(([name, value]) => request?.headers[name] === value);

test.each([
  ['the same origin', '/next', SENT],
  ['another host', 'http://second.test:PORT/next', HARMLESS],
  ['another host and back', 'http://second.test:PORT/307?http://first.test:PORT/next', HARMLESS],
  ['another scheme', 'https://first.test:PORT/next', HARMLESS],
])('on the way to %s the right headers go along', async (_, target, expected) => {
  await using outbound = openOutbound();
  const init = { method: 'POST', body: 'question', headers: HEADERS };
  const response = await outbound.fetch(from(307, target.replaceAll('PORT', String(site.port))), init);
  expect(await response.text()).toBe('hello');
  const last = seen.at(-1);
  expect(givenTo(seen[0])).toEqual(SENT);
  expect(givenTo(last)).toEqual(expected);
  expect(JSON.stringify(last?.headers).includes('s3cret')).toBe(expected === SENT);
  expect(last).toMatchObject({ method: 'POST', body: 'question' });
});

test('another port is another origin', async () => {
  await using other = await startSite(({ headers }, answer) => answer.end(JSON.stringify(headers)));
  await using outbound = openOutbound();
  const response = await outbound.fetch(from(302, `http://first.test:${other.port}/`), { headers: HEADERS });
  expect(await response.text()).not.toContain('s3cret');
});

test.each([
  [301, 'POST', 'GET', ''],
  [302, 'POST', 'GET', ''],
  [303, 'POST', 'GET', ''],
  [307, 'POST', 'POST', 'question'],
  [308, 'POST', 'POST', 'question'],
  [301, 'PUT', 'PUT', 'question'],
  [302, 'DELETE', 'DELETE', 'question'],
  [303, 'PUT', 'GET', ''],
  [303, 'HEAD', 'HEAD', ''],
])('%i turns %s into %s with the body "%s"', async (status, method, next, body) => {
  await using outbound = openOutbound();
  const init = { method, headers: HEADERS, ...(method !== 'HEAD' && { body: 'question' }) };
  const response = await outbound.fetch(from(status, '/next'), init);
  expect(response).toMatchObject({
    status: 200,
    redirected: true,
    url: `http://first.test:${site.port}/next`,
  });
  expect(seen[1]).toMatchObject({ method: next, url: '/next', body });
  expect('content-type' in (seen[1]?.headers ?? {})).toBe(next === method);
});

test.each([
  ['a form', () => new URLSearchParams({ a: '1' }), 'a=1', 'application/x-www-form-urlencoded;charset=UTF-8'],
  ['bytes', () => new TextEncoder().encode('bytes'), 'bytes', undefined],
  ['a blob', () => new Blob(['blob'], { type: 'text/x-blob' }), 'blob', 'text/x-blob'],
])('%s is sent again with its type', async (_, body, sent, type) => {
  await using outbound = openOutbound();
  await outbound.fetch(from(307, '/next'), { method: 'POST', body: body() });
  expect(seen.map((each) => [each.body, each.headers['content-type']])).toEqual([
    [sent, type],
    [sent, type],
  ]);
});

test('a body that is a stream is sent once, and a redirect that wants it again fails', async () => {
  const stream = () => new Blob(['stream']).stream();
  await using outbound = openOutbound();
  const url = `http://first.test:${site.port}/`;
  const plain = await outbound.fetch(url, { method: 'POST', body: stream() });
  expect([await plain.text(), seen[0]?.body]).toEqual(['hello', 'stream']);
  const again = outbound.fetch(from(307, '/next'), { method: 'POST', body: stream() });
  expect(await rejection(again)).toMatchObject({ type: 'protocol' });
  const once = await outbound.fetch(from(303, '/next'), { method: 'POST', body: stream() });
  expect([await once.text(), seen.at(-1)?.method]).toEqual(['hello', 'GET']);
});

describe('the number of redirects', () => {
  const chain = (length: number): string => (length === 0 ? '/end' : `/302?${chain(length - 1)}`);

  test('is five at most', async () => {
    await using outbound = openOutbound();
    const origin = `http://first.test:${site.port}`;
    const response = await outbound.fetch(origin + chain(5));
    expect([await response.text(), seen.length]).toEqual(['hello', 6]);
    expect(await rejection(outbound.fetch(origin + chain(6)))).toMatchObject({ type: 'protocol' });
    expect(seen.length).toBe(12);
  });

  test('ends a loop', async () => {
    await using loop = await startSite((_, answer) => answer.writeHead(307, { location: '/' }).end());
    await using outbound = openOutbound();
    expect(await rejection(outbound.fetch(`http://first.test:${loop.port}/`))).toMatchObject({
      type: 'protocol',
      message: `"first.test:${loop.port}" redirected more than 5 times.`,
    });
  });
});

test.each([
  [302, ''],
  [300, '/next'],
  [304, '/next'],
  [201, '/next'],
])('%i with the location "%s" is an answer like any other', async (status, location) => {
  await using outbound = openOutbound();
  const response = await outbound.fetch(from(status, location));
  expect([response.status, response.redirected, seen.length]).toEqual([status, false, 1]);
});

test('a caller may follow redirects itself, or want none', async () => {
  await using outbound = openOutbound();
  const manual = await outbound.fetch(from(307, '/next'), { redirect: 'manual' });
  expect([manual.status, manual.headers.get('location')]).toEqual([307, '/next']);
  const refused = outbound.fetch(from(307, '/next'), { redirect: 'error' });
  expect(await rejection(refused)).toMatchObject({ type: 'protocol' });
  expect(seen.length).toBe(2);
});
