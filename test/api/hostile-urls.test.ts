import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { create } from '../support/graphql.ts';
import { run } from '../support/run.ts';
import { startTestApp } from '../support/test-app.ts';
import { mcp } from '../support/tools.ts';

const input = { text: 'Hi' };

/** A server on loopback that counts who connects. */
async function startTarget() {
  let connections = 0;
  const server = createServer((_, response) => response.end('Come in.'));
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const HOSTS = [
  '127.0.0.1',
  '127.1',
  '127.0.0.2',
  '0x7f000001',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '2130706433',
  '0',
  '0.0.0.0',
  '１２７.0.0.1',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'a.b.localhost',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[fe80::1]',
  '[fd00::1]',
  '[ff02::1]',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.169.254',
  '[fd00:ec2::254]',
  '198.18.0.1',
  '192.0.2.1',
  '224.0.0.1',
  '255.255.255.255',
];

test('a server at a private address is refused by name, however the address is written, and never hears of it', async () => {
  await using app = await startTestApp({ config: { allowPrivate: false } });
  await using target = await startTarget();
  const urls = HOSTS.flatMap((host) => [`http://${host}:${target.port}/mcp`, `https://${host}/`]);
  urls.push('ftp://example.com/', 'file:///etc/passwd', 'javascript:alert(1)', 'data:text/plain,x');
  urls.push(`http://user:secret-word@127.0.0.1:${target.port}/`, 'http://user@example.com/', 'nonsense');
  for (let from = 0; from < urls.length; from += 32) {
    const some = urls.slice(from, from + 32);
    const tools = some.map((url, index) => mcp(`server-${index}`, { url }));
    const { response, errors } = await create(app, { input, tools });
    expect(response).toBeNull();
    const refused = new Set(
      errors.map(({ path }: { readonly path: readonly string[] }) => {
        expect(path).toEqual(['tools', expect.any(String), 'mcp', 'serverUrl']);
        return some[Number(path[1])];
      }),
    );
    expect(some.filter((url) => !refused.has(url))).toEqual([]);
    expect(JSON.stringify(errors)).not.toContain('secret-word');
  }
  expect(target.connections()).toBe(0);
  expect(app.upstream.exchanges).toEqual([]);
});

test('a metadata address is refused even where private addresses are open', async () => {
  await using app = await startTestApp({ config: { allowPrivate: true } });
  const { errors } = await create(app, { input, tools: [mcp('cloud', { url: 'http://169.254.169.254/' })] });
  expect(errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['tools', '0', 'mcp', 'serverUrl'] }]);
});

test('images and files at private addresses are refused by name', async () => {
  await using app = await startTestApp({ config: { allowPrivate: false } });
  const parts = [
    { image: { imageUrl: 'http://169.254.169.254/latest' } },
    { file: { source: { fileUrl: 'http://[::ffff:10.0.0.1]/x' } } },
    { image: { imageUrl: 'https://example.com/cat.png' } },
    { image: { imageUrl: 'data:image/png;base64,AA==' } },
  ];
  const items = [
    { message: { content: { parts } } },
    { functionCallOutput: { callId: 'a', output: { parts } } },
  ];
  const { errors } = await create(app, { input: { items: items.slice(0, 1) } });
  expect(errors).toMatchObject([
    { path: ['input', 'items', '0', 'message', 'content', 'parts', '0', 'image', 'imageUrl'] },
    { path: ['input', 'items', '0', 'message', 'content', 'parts', '1', 'file', 'source', 'fileUrl'] },
  ]);
  const more = (await create(app, { input: { items } })).errors;
  expect(more.map(({ path }: { readonly path: readonly string[] }) => path.slice(2, 6).join('.'))).toContain(
    '1.functionCallOutput.output.parts',
  );
});

test('a name that resolves to a private address fails when the server connects, and says why', async () => {
  await using app = await startTestApp({ config: { allowPrivate: false } });
  await using target = await startTarget();
  // The name of this machine, which the hosts file gives an address of its own network.
  const { hostname } = await import('node:os');
  const url = `http://${hostname()}:${target.port}/mcp`;
  const response = await run(app, { input, tools: [mcp('named', { url })] });
  expect(response.output[0]).toMatchObject({
    __typename: 'McpListTools',
    status: 'FAILED',
    error: { type: expect.stringMatching(/BLOCKED|HTTP/), message: expect.any(String) },
  });
  expect(target.connections()).toBe(0);
});
