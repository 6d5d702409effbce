import { once } from 'node:events';
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
