import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Hub } from '../../src/engine/following/hub.ts';
import { UnstoredLogs, type UnstoredOptions } from '../../src/engine/following/unstored-logs.ts';
import { neverJoins } from '../../src/engine/run/joining.ts';
import { Run } from '../../src/engine/run/run.ts';
import type { ResponseEvent } from '../../src/protocol/events.ts';
import { newItemId, newResponseId } from '../../src/protocol/ids.ts';
import { INITIAL_STATE } from '../../src/protocol/response.ts';
import { modelRequest } from '../support/model-request.ts';

const scope = { tenant: 'default' };
const BEGINNING: readonly ResponseEvent[] = [
  { type: 'response.created', state: INITIAL_STATE, sequenceNumber: 0 },
  { type: 'response.in_progress', state: INITIAL_STATE, sequenceNumber: 1 },
];

function startLogs(options: Partial<UnstoredOptions> = {}) {
  const hub = new Hub();
  const logs = new UnstoredLogs(hub, options);
  const start = () => {
    const { settings } = modelRequest();
    const base = { id: newResponseId(), createdAt: 0, previousResponseId: null, settings };
    const beginning = { state: INITIAL_STATE, nextSequence: 2, isTakenOver: false };
    const run = new Run({
      tenant: 'default',
      base,
      context: [],
      inputLength: 0,
      ...beginning,
      sink: logs,
      joining: neverJoins,
    });
    logs.begin(run, BEGINNING);
    const itemId = newItemId('msg');
    const place = { itemId, outputIndex: 0 };
    const item = { id: itemId, type: 'message', role: 'assistant', status: 'in_progress', round: 0 } as const;
    const part = { type: 'output_text', text: '', annotations: [], logprobs: null } as const;
    run.emit({ type: 'response.output_item.added', ...place, item: { ...item, content: [] } });
    run.emit({ type: 'response.content_part.added', ...place, contentIndex: 0, part });
    run.flush();
    const say = (delta: string) => {
      run.emit({ type: 'response.output_text.delta', ...place, contentIndex: 0, delta, logprobs: null });
      run.flush();
    };
    return { run, id: base.id, say, end: () => run.end({ status: 'completed' }) };
  };
  return { hub, logs, start };
}

type Batches = AsyncGenerator<readonly ResponseEvent[], void>;
const numbers = async (batches: Batches) =>
  (await Array.fromAsync(batches)).flat().map(({ sequenceNumber }) => sequenceNumber);
const from = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('from every place in the stream it gives exactly the rest, in flight and after the end', async () => {
  const { logs, start } = startLogs();
  const { id, say, end, run } = start();
  for (let word = 0; word < 1200; word++) say(`${word} `);
  const places = [-1, 0, 1, 3, 600, 1203];
  const live = places.map((after) => numbers(logs.follow(scope, id, after)));
  await Promise.resolve();
  say('more');
  end();
  const last = (await run.ended)?.sequenceNumber ?? 0;
  for (const [index, after] of places.entries()) {
    expect(await live[index]).toEqual(from(after + 1, last));
    expect(await numbers(logs.follow(scope, id, after))).toEqual(from(after + 1, last));
  }
  expect(await numbers(logs.follow(scope, id, last))).toEqual([]);
});

test('whoever leaves a quiet run is released at once', async () => {
  const { hub, logs, start } = startLogs();
  const { id } = start();
  const batches = logs.follow(scope, id, 3);
  const waiting = batches.next();
  expect(hub.isFollowed(id)).toBe(true);
  await batches.return();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(hub.isFollowed(id)).toBe(false);
});

test('it is read while it is in flight, at the place that its state belongs to', () => {
  const { logs, start } = startLogs();
  const { id, say, end, run } = start();
  say('One ');
  run.emit({
    type: 'response.output_text.delta',
    itemId: run.state.output[0]?.id ?? newItemId('msg'),
    outputIndex: 0,
    contentIndex: 0,
    delta: 'not told yet',
    logprobs: null,
  });
  const view = logs.view(scope, id);
  expect(view).toMatchObject({ sequenceNumber: 4, state: { status: 'in_progress' } });
  expect(JSON.stringify(view?.output)).toContain('"text":"One "');
  expect(logs.view({ tenant: 'other' }, id)).toBeNull();
  end();
  expect(logs.view(scope, id)).toBeNull();
});

test('it is kept for a while after its end, for its own tenant, then gone', async () => {
  const { logs, start } = startLogs({ keepMs: 1000 });
  const { id, end } = start();
  await vi.advanceTimersByTimeAsync(5000);
  end();
  await vi.advanceTimersByTimeAsync(999);
  expect(logs.about(scope, id)).toMatchObject({ base: { id }, last: 7 });
  expect(logs.about({ tenant: 'other' }, id)).toBeNull();
  expect(() => logs.follow({ tenant: 'other' }, id, -1)).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND' }),
  );
  const slow = logs.follow(scope, id, -1);
  await vi.advanceTimersByTimeAsync(1);
  expect(logs.about(scope, id)).toBeNull();
  expect(() => logs.follow(scope, id, -1)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  expect(await numbers(slow)).toEqual(from(0, 7)); // it had come in time
});

test('all that have ended are kept within a bound, the oldest go first; those in flight stay', async () => {
  const { logs, start } = startLogs({ maxKept: 30_000 });
  const runs = Array.from({ length: 4 }, start);
  for (const { say } of runs) say('x'.repeat(3000));
  for (const { end } of runs.slice(0, 3)) {
    end();
    await vi.advanceTimersByTimeAsync(1);
  }
  const known = runs.map(({ id }) => logs.about(scope, id) !== null);
  expect(known.at(-1)).toBe(true);
  expect(known.slice(0, 3)).toEqual([false, true, true]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(vi.getTimerCount()).toBe(0);
});

test('a run that breaks off ends its followers with an error', async () => {
  const { logs, start } = startLogs();
  const { id, run } = start();
  const broken = numbers(logs.follow(scope, id, -1));
  run.lose();
  await expect(broken).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
