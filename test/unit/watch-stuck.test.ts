import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import { watchStuck } from '../../src/server/watch-stuck.ts';

/** More than what lies between the two ends holds. */
const MUCH = 150_000_000;

async function startPair() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  client.pause();
  for (const socket of [near, client]) socket.on('error', () => {});
  return {
    near,
    client,
    async [Symbol.asyncDispose]() {
      near.destroy();
      client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test('one of whom nothing is read is stuck, once', async () => {
  await using pair = await startPair();
  const onStuck = vi.fn();
  watchStuck(pair.near, 40, onStuck);
  pair.near.write(Buffer.alloc(MUCH));
  await vi.waitUntil(() => onStuck.mock.calls.length > 0, { interval: 5 });
  pair.near.write('more');
  await new Promise((resolve) => pair.client.once('data', resolve).resume());
  expect(onStuck).toHaveBeenCalledOnce();
});

test('one that reads slowly what was written at once is not stuck, until it stops', async () => {
  await using pair = await startPair();
  const onStuck = vi.fn();
  watchStuck(pair.near, 800, onStuck);
  pair.near.write(Buffer.alloc(MUCH));
  let read = 0;
  pair.client.on('readable', () => {}); // read by hand
  const begun = performance.now();
  while (performance.now() - begun < 1500) {
    read += (pair.client.read() as Buffer | null)?.length ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(read).toBeLessThan(MUCH);
  expect(onStuck).not.toHaveBeenCalled();
  await vi.waitUntil(() => onStuck.mock.calls.length > 0, { interval: 5 });
});

test('one for whom nothing waits is not stuck, and after its end it is not watched', async () => {
  await using pair = await startPair();
  const onStuck = vi.fn();
  vi.useFakeTimers();
  const unwatch = watchStuck(pair.near, 40, onStuck);
  vi.advanceTimersByTime(10_000);
  expect(onStuck).not.toHaveBeenCalled();
  unwatch();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
