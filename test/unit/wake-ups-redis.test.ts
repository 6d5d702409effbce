import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { createRedisWakeUps } from '../../src/store/wake-ups/redis.ts';
import { startDatabaseProxy } from '../support/database-proxy.ts';
import { startRedis, testWithOwnRedis, testWithRedis, useRedis } from '../support/redis.ts';
import { cancel, expectHeard, expectListening, joinOver, logged, SOON, work } from '../support/wake-ups.ts';

const join = (url: string, channel?: string) => joinOver(createRedisWakeUps, { url, channel });

testWithRedis('wake-ups reach every other process on the channel, and not their own', async () => {
  await using redis = await useRedis();
  const channel = randomUUID();
  await using a = join(redis.url, channel);
  await using b = join(redis.url, channel);
  await using c = join(redis.url, `${channel} of others`);
  await Promise.all([a, b, c].map((one) => expectListening(one)));
  const [first, second, third] = [logged(7), cancel(), logged(0)];
  a.send([first, second]);
  await expect.poll(() => b.listener.heard).toEqual([second, first]);
  b.send([third, work]);
  await expect.poll(() => a.listener.heard).toEqual([work, third]);
  expect(b.listener.heard).toEqual([second, first]);
  expect(c.listener.heard).toEqual([]);
});

testWithRedis('5,000 responses in one send all arrive', async () => {
  await using redis = await useRedis();
  const channel = randomUUID();
  await using a = join(redis.url, channel);
  await using b = join(redis.url, channel);
  await expectListening(b);
  const wakeUps = Array.from({ length: 5_000 }, (_, last) => logged(last));
  a.send(wakeUps);
  await expect.poll(() => b.listener.heard.length, SOON).toBe(5_000);
  expect(b.listener.heard).toEqual(wakeUps);
});

testWithRedis('a foreign message on the channel is passed over', async () => {
  await using redis = await useRedis();
  const channel = randomUUID();
  await using a = join(redis.url, channel);
  await using b = join(redis.url, channel);
  await expectListening(b);
  const stranger = new Redis(redis.url);
  for (const message of ['', 'hello', '2 x w', Buffer.from([0xff, 0x00]), 'x'.repeat(1_000_000)]) {
    await stranger.publish(channel, message);
  }
  stranger.disconnect();
  a.send([work]);
  await expect.poll(() => b.listener.heard).toEqual([work]);
  expect(b.lines).toEqual([]);
});

testWithOwnRedis('a Redis that stops is used again as soon as it is back', async () => {
  await using redis = await startRedis();
  await using a = join(redis.url);
  await using b = join(redis.url);
  for (let round = 1; round <= 5; round++) {
    await expectListening(a, round);
    await expectListening(b, round);
    await expectHeard(a, b);
    await expectHeard(b, a);
    await redis.stop();
    for (let n = 0; n < 1_000; n++) a.send([logged(n), work]);
    await expect.poll(() => a.lines.at(-1)?.level).toBe(40);
    await redis.start();
  }
});

testWithOwnRedis('connections that Redis ends are made again, each time', async () => {
  await using redis = await startRedis();
  await using a = join(redis.url);
  await using b = join(redis.url);
  const admin = new Redis(redis.url);
  for (let round = 1; round <= 20; round++) {
    await expectListening(a, round);
    await expectListening(b, round);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  }
  await expectHeard(a, b);
  const listConnections = async () => String(await admin.client('LIST')).match(/name=responses-graphql/g);
  await expect.poll(listConnections, SOON).toHaveLength(4); // two each: none is left behind
  admin.disconnect();
});

testWithOwnRedis('a Redis that stands still holds nobody up, and is used when it goes on', async () => {
  await using redis = await startRedis();
  await using a = join(redis.url);
  await using b = join(redis.url);
  await expectListening(a);
  await expectListening(b);
  redis.freeze();
  const before = performance.now();
  for (let n = 0; n < 20_000; n++) a.send([logged(n)]);
  expect(performance.now() - before).toBeLessThan(1_000);
  await expect.poll(() => a.lines.length, SOON).toBe(1);
  redis.thaw();
  await expectHeard(a, b);
  await expectHeard(b, a);
});

test('a Redis that is absent at the start makes one line in the log, without its password', async () => {
  await using a = join('redis://somebody:secret@127.0.0.1:1/0');
  const attempts = Array.from({ length: 3 }, () => a.send([work]));
  expect(attempts).toEqual([undefined, undefined, undefined]);
  await expect.poll(() => a.lines.length).toBe(1);
  expect(a.lines[0]).toMatchObject({ level: 40, reason: expect.stringContaining('ECONNREFUSED') });
  expect(JSON.stringify(a.lines)).not.toMatch(/secret|somebody/);
});

testWithRedis('a wrong password makes one line in the log, and is not in it', async () => {
  await using redis = await useRedis();
  const url = new URL(redis.url);
  url.username = 'nobody';
  url.password = 'secret';
  await using a = join(url.href);
  await expect.poll(() => a.lines.length).toBe(1);
  expect(a.lines[0]).toMatchObject({ level: 40, reason: expect.stringContaining('WRONGPASS') });
  expect(JSON.stringify(a.lines)).not.toContain('secret');
});

// Vitest fails a run in which a rejection was left unhandled, as Node ends a process for it.
testWithRedis.for(['setname', 'subscribe', 'publish'])(
  'a connection that breaks at "%s" is replaced by another one',
  async (words) => {
    await using redis = await useRedis();
    await using proxy = await startDatabaseProxy(redis.url);
    const channel = randomUUID();
    await using b = join(redis.url, channel);
    const gone = proxy.swallowAnswerTo(words).then(() => proxy.goAway());
    await using a = join(proxy.url, channel);
    a.send([work]);
    await gone;
    await proxy.comeBack();
    await expectHeard(a, b);
    await expectHeard(b, a);
  },
);

testWithOwnRedis.for(['stopped', 'frozen'])(
  'a close takes a second at most while Redis is %s',
  async (how) => {
    await using redis = await startRedis();
    const a = join(redis.url);
    await expectListening(a);
    if (how === 'frozen') redis.freeze();
    else await redis.stop();
    a.send([work]);
    const before = performance.now();
    await a.close();
    expect(performance.now() - before).toBeLessThan(1_000);
  },
);
