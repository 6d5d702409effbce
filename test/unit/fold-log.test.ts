import { expect, test } from 'vitest';
import { foldLog } from '../../src/engine/fold-log.ts';
import { applyEvent } from '../../src/protocol/apply-event.ts';
import type { EventDraft, ResponseEvent } from '../../src/protocol/events.ts';
import { newItemId } from '../../src/protocol/ids.ts';
import { INITIAL_STATE } from '../../src/protocol/response.ts';
import { chooseSeed, createRandom } from '../support/random.ts';

const said = { id: newItemId('msg'), status: 'in_progress', round: 0 } as const;
const thought = { id: newItemId('rs'), status: 'in_progress', round: 0 } as const;
const called = { id: newItemId('fc'), status: 'in_progress', round: 0 } as const;
const text = { type: 'output_text', text: '', annotations: [], logprobs: null } as const;

const BEGINNING: readonly EventDraft[] = [
  { type: 'response.in_progress', state: INITIAL_STATE },
  {
    type: 'response.output_item.added',
    itemId: thought.id,
    outputIndex: 0,
    item: { ...thought, type: 'reasoning', content: [], summary: [], encryptedContent: null },
  },
  {
    type: 'response.output_item.added',
    itemId: said.id,
    outputIndex: 1,
    item: { ...said, type: 'message', role: 'assistant', content: [] },
  },
  {
    type: 'response.output_item.added',
    itemId: called.id,
    outputIndex: 2,
    item: { ...called, type: 'function_call', callId: 'a', name: 'f', arguments: '', error: null },
  },
  ...[text, text, { type: 'refusal', refusal: '' } as const].map((part, contentIndex) => ({
    type: 'response.content_part.added' as const,
    itemId: said.id,
    outputIndex: 1,
    contentIndex,
    part,
  })),
  {
    type: 'response.content_part.added',
    itemId: thought.id,
    outputIndex: 0,
    contentIndex: 0,
    part: { type: 'reasoning_text', text: '' },
  },
];

const seed = chooseSeed();

test(`a log leads to what its events lead to one after the other (seed ${seed})`, () => {
  const random = createRandom(seed);
  for (let length = 0; length < 200; length++) {
    let place = 0;
    const deltas = Array.from({ length }, (_, index) => {
      if (random(4) === 0) place = random(6);
      return deltaAt(place, `${index} `, random(3) > 0);
    });
    const log = [...BEGINNING, ...deltas].map((draft, sequenceNumber) => ({ ...draft, sequenceNumber }));
    expect(foldLog(log)).toEqual(log.reduce<typeof INITIAL_STATE>(applyEvent, INITIAL_STATE));
  }
});

test('a long log with a probability for each word is folded at once', () => {
  const deltas = Array.from({ length: 100_000 }, (_, index) => deltaAt(0, `${index} `, true));
  const log: ResponseEvent[] = [...BEGINNING, ...deltas].map((draft, sequenceNumber) => ({
    ...draft,
    sequenceNumber,
  }));
  const [, message] = foldLog(log).output;
  if (message?.type !== 'message') throw new Error('There is no message.');
  expect(message.content[0]).toMatchObject({ logprobs: { length: 100_000 } });
});

function deltaAt(place: number, delta: string, isLikely: boolean): EventDraft {
  const logprobs = isLikely ? [{ token: delta, logprob: -1, bytes: null, top: [] }] : null;
  const of = { itemId: said.id, outputIndex: 1, delta };
  switch (place) {
    case 0:
    case 1:
      return { type: 'response.output_text.delta', ...of, contentIndex: place, logprobs };
    case 2:
      return { type: 'response.refusal.delta', ...of, contentIndex: 2 };
    case 3:
      return {
        type: 'response.reasoning_text.delta',
        itemId: thought.id,
        outputIndex: 0,
        contentIndex: 0,
        delta,
      };
    case 4:
      return {
        type: 'response.function_call_arguments.delta',
        itemId: called.id,
        outputIndex: 2,
        delta,
      };
    default:
      return { type: 'response.in_progress', state: { ...INITIAL_STATE, output: wholeOutput() } };
  }
}

/** What there is after the beginning, to begin again from. */
function wholeOutput() {
  return BEGINNING.reduce(applyEvent, INITIAL_STATE).output;
}
