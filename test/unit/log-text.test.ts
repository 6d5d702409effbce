import { expect, test } from 'vitest';
import type { EventDraft, ResponseEvent } from '../../src/protocol/events.ts';
import type { ItemId } from '../../src/protocol/ids.ts';
import { fromLogText, toLogText } from '../../src/protocol/log-text.ts';
import { chooseSeed, createRandom } from '../support/random.ts';
import { anyDrafts } from '../support/sample-events.ts';
import { anyItemId, anyLogprobs, anyText, oneOf } from '../support/sample-items.ts';

const SEED = chooseSeed();

type Random = (limit: number) => number;

/** Deltas of few places, so that those of one often follow each other. */
function anyDelta(random: Random, [one, other]: readonly [ItemId, ItemId]): EventDraft {
  const place = { itemId: oneOf(random, [one, one, one, other]), outputIndex: 0 };
  const part = { ...place, contentIndex: random(8) === 0 ? 1 : 0 };
  const delta = anyText(random);
  const logprobs = oneOf(random, [null, null, null, null, [], anyLogprobs(random)]);
  const text: EventDraft = { ...part, type: 'response.output_text.delta', delta, logprobs };
  return oneOf<EventDraft>(random, [
    text,
    text,
    text,
    { ...part, type: 'response.reasoning_text.delta', delta },
    { ...part, type: 'response.refusal.delta', delta },
    { ...place, type: 'response.function_call_arguments.delta', delta },
    { ...place, type: 'response.mcp_call_arguments.delta', delta },
  ]);
}

function anyLog(random: Random): readonly ResponseEvent[] {
  const items = [anyItemId(random), anyItemId(random)] as const;
  const drafts = Array.from({ length: random(60) }, () => {
    const [first, ...others] = random(10) === 0 ? anyDrafts(random) : [];
    return first === undefined ? anyDelta(random, items) : oneOf(random, [first, ...others]);
  });
  let sequenceNumber = random(1000);
  const log = drafts.map((draft) => {
    sequenceNumber += random(12) === 0 ? 1 + random(5) : 1; // a gap, now and then
    return { ...draft, sequenceNumber };
  });
  return JSON.parse(JSON.stringify(log)); // JSON has no -0
}

test(`any events come back from the log as they were, in their order (TEST_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  let saved = 0;
  for (let times = 0; times < 300; times++) {
    const log = anyLog(random);
    const text = toLogText(log);
    expect(fromLogText(text)).toEqual(log);
    expect(fromLogText(Buffer.from(text.toWellFormed()).toString())).toEqual(log); // as a column keeps it
    saved += JSON.stringify(log).length - text.length;
  }
  expect(saved).toBeGreaterThan(0);
});

test(`a delta that comes alone is kept as JSON has it (TEST_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  for (let times = 0; times < 1000; times++) {
    const items = [anyItemId(random), anyItemId(random)] as const;
    const event = { ...anyDelta(random, items), sequenceNumber: random(1000) };
    expect(JSON.parse(toLogText([event]))).toEqual(JSON.parse(JSON.stringify([event])));
  }
});

test(`rows of earlier versions, which hold every event whole, read the same (TEST_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  for (let times = 0; times < 100; times++) {
    const log = anyLog(random);
    expect(fromLogText(JSON.stringify(log))).toEqual(log);
  }
});

const ITEM = anyItemId(createRandom(1));

function textDelta(sequenceNumber: number, delta: string, more: object = {}): ResponseEvent {
  const place = { itemId: ITEM, outputIndex: 0, contentIndex: 0 };
  return { ...place, type: 'response.output_text.delta', delta, logprobs: null, sequenceNumber, ...more };
}

const deltas = (count: number) => Array.from({ length: count }, (_, number) => textDelta(number, 'word '));

test('a stream of deltas takes little more than its text', () => {
  const text = toLogText(deltas(1000));
  expect(text.length).toBeLessThan(1000 * '"word ",'.length + 300);
});

test('a delta alone is kept as it is', () => {
  expect(JSON.parse(toLogText(deltas(1)))).toEqual(deltas(1));
  expect(toLogText([])).toBe('[]');
});

test.each<[string, ResponseEvent]>([
  ['of another part', textDelta(3, 'x', { contentIndex: 1 })],
  ['of another item', textDelta(3, 'x', { itemId: anyItemId(createRandom(2)) })],
  ['of another kind', textDelta(3, 'x', { type: 'response.refusal.delta' })],
  ['with logprobs', textDelta(3, 'x', { logprobs: [] })],
  ['behind a gap', textDelta(4, 'x')],
  ['that comes again', textDelta(2, 'word ')],
])('a delta %s is not taken for one that follows', (_, next) => {
  const after = textDelta(next.sequenceNumber + 1, 'y');
  const log = [...deltas(3), next, after];
  expect(fromLogText(toLogText(log))).toEqual(log);
});
