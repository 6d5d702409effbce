import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { blockedReason } from '../../src/tools/outbound.ts';
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

let site: Site;
let internet: Internet;

beforeEach(async () => {
  site = await startSite((_, answer) => answer.end('hello'));
  internet = playInternet();
});

afterEach(async () => {
  internet[Symbol.dispose]();
  await site[Symbol.asyncDispose]();
});

const PRIVATE = [
  'http://127.0.0.1',
  'http://127.255.255.254',
  'http://127.1',
  'http://0x7f000001',
  'http://2130706433',
  'http://0177.0.0.1',
  'http://127.0.0.1.',
  'http://0',
  'http://0.0.0.0',
  'http://10.0.0.1',
  'http://172.16.0.1',
  'http://172.31.255.255',
  'http://192.168.1.1',
  'http://100.64.0.1',
  'http://[::]',
  'http://[::1]',
  'http://[::ffff:127.0.0.1]',
  'http://[::ffff:7f00:1]',
  'http://[::ffff:10.0.0.1]',
  'http://[64:ff9b::7f00:1]',
  'http://[64:ff9b::10.0.0.1]',
  'http://[fc00::1]',
  'http://localhost',
  'http://LOCALHOST.',
  'http://foo.localhost',
  'http://%6cocalhost',
  'https://localhost',
];

const SPECIAL = [
  'http://169.254.169.254',
  'http://[::ffff:169.254.169.254]',
  'http://[64:ff9b::169.254.169.254]',
  'http://168.63.129.16',
  'http://100.100.100.200',
  'http://[::ffff:100.100.100.200]',
  'http://[64:ff9b::100.100.100.200]',
  'http://[fd00:ec2::254]',
  'http://[fd00:ec2:0:0::23]',
  'http://[fd20:ce::254]',
  'http://192.0.0.192',
  'http://192.0.2.1',
  'http://198.18.0.1',
  'http://198.51.100.1',
  'http://203.0.113.1',
  'http://224.0.0.1',
  'http://240.0.0.1',
  'http://255.255.255.255',
  'http://[fe80::1]',
  'http://[fec0::1]',
  'http://[ff02::1]',
  'http://[100::1]',
  'http://[2001:db8::1]',
  'http://[2001:0:7f00:1::1]',
  'http://[2002:7f00:1::]',
  'http://[64:ff9b:1::7f00:1]',
  'http://[::127.0.0.1]',
  'http://[::ffff:0:127.0.0.1]',
];

const OTHERWISE = [
  'file:///etc/passwd',
  'ftp://example.com',
  'data:text/plain,hi',
  'gopher://example.com',
  'blob:x',
];

describe.each([
  { allowPrivate: false, hostile: [...PRIVATE, ...SPECIAL] },
  { allowPrivate: true, hostile: SPECIAL },
])('with allowPrivate $allowPrivate', ({ allowPrivate, hostile }) => {
  test.each(hostile)('%s is refused, and nobody is connected to', async (origin) => {
    const url = `${origin}:${site.port}/path?key=s3cret`;
    await using outbound = openOutbound({ allowPrivate });
    const failure = await rejection(outbound.fetch(url));
    expect(failure).toBeInstanceOf(ToolFailure);
    expect(failure).toMatchObject({ type: 'blocked', message: blockedReason(url, { allowPrivate }) });
    expect(failure).toMatchObject({ message: expect.stringContaining(`"${new URL(url).hostname}"`) });
    expect(failure).toMatchObject({
      message: expect.stringContaining('MCP_ALLOW_PRIVATE=true opens private'),
    });
    expect(String(failure)).not.toContain('s3cret');
    expect([internet.reached, site.connections()]).toEqual([[], 0]);
  });

  test.each([...OTHERWISE, 'not a url', '/graphql', 'http://'])('%s is refused', async (url) => {
    await using outbound = openOutbound({ allowPrivate });
    expect(blockedReason(url, { allowPrivate })).not.toBeNull();
    expect(await rejection(outbound.fetch(url))).toMatchObject({ type: 'blocked' });
    expect(internet.reached).toEqual([]);
  });

  test.each(['http://user:hunter2@', 'http://hunter2@', 'http://:hunter2@'])(
    '%s... is refused',
    async (start) => {
      const url = `${start}example.com:${site.port}/`;
      await using outbound = openOutbound({ allowPrivate });
      const failure = await rejection(outbound.fetch(url));
      expect(failure).toMatchObject({ type: 'blocked', message: blockedReason(url, { allowPrivate }) });
      expect(String(failure)).toContain('"example.com"');
      expect(String(failure)).not.toContain('hunter2');
      expect(internet.reached).toEqual([]);
    },
  );
});

test.each([
  '127.0.0.1',
  '::1',
  '::ffff:127.0.0.1',
  '169.254.169.254',
  'fe80::1%lo',
  '64:ff9b::7f00:1',
  `${PUBLIC} and 10.0.0.1`,
  `2606:4700::1111 and ${PUBLIC} and ::1`,
  'nonsense',
])('a name that resolves to %s is refused, and nobody is connected to', async (answer) => {
  const addresses = answer.split(' and ');
  await using outbound = openOutbound({ resolve: resolver({ 'rebind.test': addresses }) });
  const failure = await rejection(outbound.fetch(`http://rebind.test:${site.port}/`));
  expect(failure).toBeInstanceOf(ToolFailure);
  expect(failure).toMatchObject({ type: 'blocked', message: expect.stringContaining('"rebind.test"') });
  expect([internet.reached, site.connections()]).toEqual([[], 0]);
});

test('a name is checked again for every connection, and only what was checked is connected to', async () => {
  const answers = [PUBLIC, '127.0.0.1'];
  const resolve = async () => [{ address: answers.shift() ?? '', family: 4 }];
  await using outbound = openOutbound({ resolve });
  const url = `http://rebind.test:${site.port}/`;
  const first = await outbound.fetch(url, { headers: { connection: 'close' } });
  expect(await first.text()).toBe('hello');
  expect(await rejection(outbound.fetch(url))).toMatchObject({ type: 'blocked' });
  expect([internet.reached, answers]).toEqual([[PUBLIC], []]);
});

test('a name that resolves to cloud metadata is refused with allowPrivate too', async () => {
  for (const address of ['100.100.100.200', 'fd00:ec2::254%eth0']) {
    await using outbound = openOutbound({
      allowPrivate: true,
      resolve: resolver({ 'meta.test': [address] }),
    });
    expect(await rejection(outbound.fetch('http://meta.test/'))).toMatchObject({ type: 'blocked' });
  }
  expect(internet.reached).toEqual([]);
});

test.each([
  'http://8.8.8.8/',
  'http://11.0.0.1/',
  'http://100.128.0.1/',
  'http://172.32.0.1/',
  'http://192.169.0.1/',
  'http://[2606:4700::1111]/',
  'http://[::ffff:8.8.8.8]/',
  'http://[64:ff9b::8.8.8.8]/',
  'https://example.com:8443/mcp?key=x',
  'https://localhost.example.com/',
  'https://notlocalhost/',
])('%s is not refused', (url) => {
  expect(blockedReason(url)).toBeNull();
});

test('public names and addresses are reached', async () => {
  await using outbound = openOutbound({});
  for (const host of ['example.com', PUBLIC]) {
    const response = await outbound.fetch(`http://${host}:${site.port}/`);
    expect([response.url, await response.text()]).toEqual([`http://${host}:${site.port}/`, 'hello']);
  }
  expect(internet.reached).toEqual([PUBLIC, PUBLIC]);
});

test.each(['127.0.0.1', '0.0.0.0', '[::ffff:127.0.0.1]', 'localhost', 'home.test'])(
  '%s is reached with allowPrivate',
  async (host) => {
    const resolve = resolver({ localhost: ['127.0.0.1'], 'home.test': ['127.0.0.1'] });
    await using outbound = openOutbound({ allowPrivate: true, resolve });
    const response = await outbound.fetch(`http://${host}:${site.port}/`);
    expect(await response.text()).toBe('hello');
  },
);

test('every private address is open to allowPrivate', () => {
  expect(PRIVATE.map((url) => blockedReason(url, { allowPrivate: true }))).toEqual(PRIVATE.map(() => null));
});
