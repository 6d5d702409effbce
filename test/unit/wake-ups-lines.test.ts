import { expect, test, vi } from 'vitest';
import { createWakeUps } from '../../src/store/wake-ups/create-wake-ups.ts';
import { readWakeUps } from '../../src/store/wake-ups/messages.ts';
import { cancel, createRecordingListener, createRecordingLogger, logged, work } from '../support/wake-ups.ts';

const never = () => new Promise<void>(() => {});
const atOnce = async () => {};

/** A transport of which a test decides what its lines do: each line takes the behaviour of the moment it is made. */
function createFakeTransport() {
  const behaviour: { open: () => Promise<void>; check: () => Promise<void>; send: () => Promise<void> } = {
    open: atOnce,
    check: atOnce,
    send: atOnce,
  };
  const made: { isClosed: boolean; readonly lose: (reason: unknown) => void }[] = [];
  const sent: string[][] = [];
  const hearing = new Set<(message: string) => void>();
  const makeLine = (onLost: (reason: unknown) => void) => {
    const line = { isClosed: false, lose: onLost };
    made.push(line);
    const { open, check, send } = behaviour;
    return {
      open,
      check,
      send: (messages: readonly string[]) => {
        sent.push([...messages]);
        return send();
      },
      close: () => {
        line.isClosed = true;
      },
    };
  };
  const transport = {
    makeSendingLine: makeLine,
    makeListeningLine: (onMessage: (message: string) => void, onLost: (reason: unknown) => void) => {
      hearing.add(onMessage);
      return makeLine(onLost);
    },
  };
  const say = (message: string) => {
    for (const hear of hearing) hear(message);
  };
  return { behaviour, made, sent, say, transport };
}

/** Wake-ups over such a transport, with the time of the test. */
function start() {
  vi.useFakeTimers();
  const fake = createFakeTransport();
  const { lines, logger } = createRecordingLogger();
  const wakeUps = createWakeUps(fake.transport, logger);
  const open = () => fake.made.filter(({ isClosed }) => !isClosed);
  const sent = () => fake.sent.map((messages) => messages.flatMap((message) => readWakeUps(message, 'us')));
  return {
    ...fake,
    lines,
    wakeUps,
    open,
    sent,
    [Symbol.asyncDispose]: async () => {
      const closed = wakeUps.close();
      await vi.advanceTimersByTimeAsync(1_000);
      await closed;
      vi.useRealTimers();
      expect(open()).toEqual([]);
    },
  };
}

test('nothing is opened before it is needed', async () => {
  await using started = start();
  started.wakeUps.send([]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(started.made).toEqual([]);
});

test('while one send is under way the next gathers', async () => {
  await using started = start();
  const answers: (() => void)[] = [];
  started.behaviour.send = () => new Promise((resolve) => answers.push(resolve));
  const [first, second, third] = [logged(1), logged(2), cancel()];
  started.wakeUps.send([first]);
  await vi.advanceTimersByTimeAsync(100);
  started.wakeUps.send([second]);
  started.wakeUps.send([third, second]);
  started.wakeUps.send([work]);
  await vi.advanceTimersByTimeAsync(100);
  expect(started.sent()).toEqual([[first]]);
  answers.shift()?.();
  await vi.advanceTimersByTimeAsync(100);
  expect(started.sent()).toEqual([[first], [work, third, second]]);
  answers.shift()?.();
});

test('what is sent while the first connection is made goes out with it', async () => {
  await using started = start();
  let connected = () => {};
  started.behaviour.open = () => new Promise((resolve) => (connected = resolve));
  const wakeUp = logged(5);
  started.wakeUps.send([wakeUp]);
  await vi.advanceTimersByTimeAsync(500);
  expect(started.sent()).toEqual([]);
  connected();
  await vi.advanceTimersByTimeAsync(0);
  expect(started.sent()).toEqual([[wakeUp]]);
});

test('without a way out wake-ups are dropped; with one again they go', async () => {
  await using started = start();
  started.behaviour.open = () => Promise.reject(new Error('refused'));
  started.wakeUps.send([logged(1)]);
  await vi.advanceTimersByTimeAsync(5_000);
  started.wakeUps.send([logged(2)]);
  started.behaviour.open = atOnce;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(started.sent()).toEqual([]);
  started.wakeUps.send([work]);
  await vi.advanceTimersByTimeAsync(0);
  expect(started.sent()).toEqual([[work]]);
});

test('a send that nobody answers ends its connection, and with it what it was', async () => {
  await using started = start();
  started.behaviour.send = never;
  started.wakeUps.send([logged(1)]);
  await vi.advanceTimersByTimeAsync(1_000);
  started.behaviour.send = atOnce;
  started.wakeUps.send([work]);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(started.sent().at(-1)).toEqual([work]);
  expect(started.made).toHaveLength(2);
  expect(started.open()).toHaveLength(1);
});

test('a refused send costs its wake-ups, not the connection', async () => {
  await using started = start();
  started.behaviour.send = () => Promise.reject(new Error('the queue is full'));
  for (let round = 0; round < 5; round++) {
    started.wakeUps.send([work]);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(started.sent()).toHaveLength(5);
  expect(started.made).toHaveLength(1);
  expect(started.lines).toMatchObject([{ level: 40, reason: 'the queue is full' }]);
});

test('a connection that died without a word is replaced, and the listener told of the gap', async () => {
  await using started = start();
  const listener = createRecordingListener();
  started.behaviour.check = never;
  started.wakeUps.listen(listener);
  await vi.advanceTimersByTimeAsync(4_900);
  expect(listener.gaps).toBe(1);
  started.behaviour.check = atOnce;
  await vi.advanceTimersByTimeAsync(200);
  expect(listener.gaps).toBe(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(listener.gaps).toBe(2);
});

test('a connection that never comes about is given up, and another one tried', async () => {
  await using started = start();
  const listener = createRecordingListener();
  started.behaviour.open = never;
  started.wakeUps.listen(listener);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(started.open()).toHaveLength(2); // one for each direction
  expect(started.made.length).toBeGreaterThan(20);
  started.behaviour.open = atOnce;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(listener.gaps).toBe(1);
});

test('an outage makes two lines in the log, one at its beginning and one at its end', async () => {
  await using started = start();
  started.behaviour.open = () => Promise.reject(new Error('refused'));
  started.wakeUps.listen(createRecordingListener());
  await vi.advanceTimersByTimeAsync(60_000);
  expect(started.lines).toMatchObject([{ level: 40, reason: 'refused' }]);
  started.behaviour.open = atOnce;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(started.lines).toMatchObject([{ level: 40 }, { level: 30 }]);
  for (const line of started.made) line.lose(new Error('gone'));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(started.lines.map(({ level }) => level)).toEqual([40, 30, 40, 30]);
});

test('a client that cannot even be made is tried again like any other', async () => {
  await using started = start();
  const { makeSendingLine } = started.transport;
  started.transport.makeSendingLine = () => {
    throw new Error('no');
  };
  started.wakeUps.send([work]);
  await vi.advanceTimersByTimeAsync(1_000);
  started.transport.makeSendingLine = makeSendingLine;
});

test('a listener that throws hears the next wake-up all the same', async () => {
  await using started = start();
  const { heard, onWakeUps } = createRecordingListener();
  let calls = 0;
  started.wakeUps.listen({
    onWakeUps: (wakeUps) => {
      if (calls++ === 0) throw new Error('oh');
      onWakeUps(wakeUps);
    },
    onGap: () => {
      throw new Error('oh');
    },
  });
  await vi.advanceTimersByTimeAsync(0);
  started.say('1 them w');
  started.say('1 them w');
  expect(heard).toEqual([work]);
  expect(started.lines.map(({ level }) => level)).toEqual([50, 50]);
});

test('a close sends what has gathered, and nothing after', async () => {
  await using started = start();
  const wakeUp = logged(9);
  const listener = createRecordingListener();
  started.wakeUps.listen(listener);
  started.wakeUps.send([work]);
  await vi.advanceTimersByTimeAsync(1);
  started.wakeUps.send([wakeUp]);
  const closed = started.wakeUps.close();
  started.wakeUps.send([cancel()]);
  started.say('1 them w');
  await closed;
  started.wakeUps.send([cancel()]);
  started.wakeUps.listen(listener);
  expect(started.sent()).toEqual([[work], [wakeUp]]);
  expect(listener).toMatchObject({ heard: [], gaps: 1 });
});

test('a close waits half a second for a send that nobody answers', async () => {
  await using started = start();
  started.behaviour.send = never;
  started.wakeUps.send([work]);
  await vi.advanceTimersByTimeAsync(1);
  vi.useRealTimers(); // the limit is one of Node's own
  const before = performance.now();
  await started.wakeUps.close();
  expect(performance.now() - before).toBeLessThan(1_000);
  vi.useFakeTimers();
});
