import { once } from 'node:events';
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestApp } from '../support/test-app.ts';

const QUERY = JSON.stringify({ query: '{ __typename }' });
const JSON_BODY = { 'content-type': 'application/json' };

test('a page of another site gets no answer over HTTP, in whatever form it asks', async () => {
  await using app = await startTestApp();
  const origin = 'http://evil.example';
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const requests = [
    fetch(app.url, { method: 'POST', headers: { ...JSON_BODY, origin }, body: QUERY }),
    fetch(app.url, { method: 'POST', headers: { ...form, origin }, body: 'query={__typename}' }),
    fetch(`${app.url}?query={__typename}`, { headers: { origin } }),
    fetch(app.url, { method: 'POST', headers: { ...JSON_BODY, origin: 'null' }, body: QUERY }),
  ];
  for (const answer of await Promise.all(requests)) {
    expect(answer.status).toBe(403);
    expect((await answer.json()).errors[0].extensions.code).toBe('FORBIDDEN');
  }
});

test('a page of this server, and a program, are answered over HTTP', async () => {
  await using app = await startTestApp();
  const proxied = { origin: 'http://localhost:5173', 'sec-fetch-site': 'same-origin' };
  const browser: Record<string, string>[] = [{}, { origin: new URL(app.url).origin }, proxied];
  for (const headers of browser) {
    const answer = await fetch(app.url, {
      method: 'POST',
      headers: { ...JSON_BODY, ...headers },
      body: QUERY,
    });
    expect(await answer.json()).toEqual({ data: { __typename: 'Query' } });
  }
});

test('a WebSocket opens for pages of this server and for programs, not for pages of another site', async () => {
  await using app = await startTestApp();
  const url = app.url.replace('http', 'ws');
  const open = async (options: { readonly origin?: string }) => {
    const socket = new WebSocket(url, 'graphql-transport-ws', options);
    const outcome = await Promise.race([
      once(socket, 'open').then(() => 'open'),
      once(socket, 'unexpected-response').then(([, answer]) => answer.statusCode),
    ]);
    socket.terminate();
    return outcome;
  };
  expect(await open({})).toBe('open');
  expect(await open({ origin: new URL(app.url).origin })).toBe('open');
  expect(await open({ origin: 'http://evil.example' })).toBe(403);
  expect(await open({ origin: 'http://127.0.0.1:1' })).toBe(403);
});

const FRIEND = 'https://app.example.com';

test('a page of a named origin is answered, asks first, and never with credentials', async () => {
  await using app = await startTestApp({ front: { origins: [FRIEND] } });
  const ask = (headers: Record<string, string>) =>
    fetch(app.url, { method: 'POST', headers: { ...JSON_BODY, ...headers }, body: QUERY });
  const answer = await ask({ origin: FRIEND, 'sec-fetch-site': 'cross-site' });
  expect(await answer.json()).toEqual({ data: { __typename: 'Query' } });
  expect(answer.headers.get('access-control-allow-origin')).toBe(FRIEND);
  expect(answer.headers.get('vary')).toBe('origin');

  const first = await fetch(app.url, {
    method: 'OPTIONS',
    headers: {
      origin: FRIEND,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });
  expect(first.status).toBe(204);
  expect(Object.fromEntries(first.headers)).toMatchObject({
    'access-control-allow-origin': FRIEND,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'authorization,content-type',
    vary: 'access-control-request-headers, origin',
  });
  for (const { headers } of [answer, first])
    expect(headers.has('access-control-allow-credentials')).toBe(false);

  for (const origin of ['http://app.example.com', 'https://app.example.com.evil.example', 'null']) {
    const other = await ask({ origin });
    expect(other.status).toBe(403);
    expect(other.headers.has('access-control-allow-origin')).toBe(false);
    const asked = await fetch(app.url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(asked.status).toBe(403);
  }

  const socket = new WebSocket(app.url.replace('http', 'ws'), 'graphql-transport-ws', { origin: FRIEND });
  await once(socket, 'open');
  socket.terminate();
});

test('what a page loads without saying where it is from gets no answer; what a person opens does', async () => {
  await using app = await startTestApp();
  const status = async (headers: Record<string, string>) =>
    (await fetch(`${app.url}?query={__typename}`, { headers })).status;
  const from = (site: string) => status({ 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' });
  expect([await from('cross-site'), await from('same-site')]).toEqual([403, 403]);
  expect([await from('same-origin'), await from('none')]).toEqual([200, 200]);
  const navigation = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', accept: 'text/html' };
  const page = await fetch(`${app.url}?query={__typename}`, { headers: navigation });
  expect(page.headers.get('content-type')).toMatch(/^text\/html/); // the playground executes nothing by itself
  await using bare = await startTestApp({ beside: app, front: { graphiql: false } });
  expect((await fetch(`${bare.url}?query={__typename}`, { headers: navigation })).status).toBe(403);
});

test('on this machine alone, a page whose own name leads here gets no answer', async () => {
  await using app = await startTestApp();
  const { port } = new URL(app.url);
  const asked = (host: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = { ...JSON_BODY, host };
      const sent = request(app.url, { method: 'POST', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      sent.on('error', reject).end(QUERY);
    });
  for (const host of [`localhost:${port}`, '127.0.0.1', '[::1]:1', 'api.localhost'])
    expect(await asked(host)).toBe(200);
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '10.0.0.1'])
    expect(await asked(host)).toBe(403);
  const socket = new WebSocket(app.url.replace('http', 'ws'), 'graphql-transport-ws', {
    headers: { host: 'evil.example' },
    origin: 'http://evil.example',
  });
  socket.on('error', () => {});
  const [, refused] = await once(socket, 'unexpected-response');
  expect(refused.statusCode).toBe(403);
  socket.terminate();

  await using proxied = await startTestApp({ beside: app, front: { origins: ['https://api.example.com'] } });
  const socketBehind = new WebSocket(proxied.url.replace('http', 'ws'), 'graphql-transport-ws', {
    headers: { host: 'api.example.com' },
    origin: 'https://api.example.com',
  });
  await once(socketBehind, 'open');
  socketBehind.terminate();
});
