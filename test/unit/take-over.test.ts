import { expect, test } from 'vitest';
import { takeOver } from '../../src/engine/owning/take-over.ts';
import type { Item } from '../../src/protocol/items.ts';
import { INITIAL_STATE, type ResponseState } from '../../src/protocol/response.ts';
import {
  asks,
  brief,
  calls,
  callsMcp,
  carriesOut,
  lists,
  outputs,
  says,
  searches,
  thinks,
  user,
} from '../support/conversation.ts';

const USAGE = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 0, totalTokens: 3 };

const stateOf = (...output: readonly Item[]): ResponseState => ({ ...INITIAL_STATE, usage: USAGE, output });

/** What goes on of a run that has begun. */
function goesOn(...output: readonly Item[]) {
  const plan = takeOver(stateOf(...output));
  if (plan.kind !== 'resumed') throw new Error('It was begun.');
  const { state, nextRound, isOver } = plan;
  expect(state).toMatchObject({ status: 'in_progress', usage: USAGE });
  for (const { status } of state.output) expect(['completed', 'failed', 'incomplete']).toContain(status);
  return { output: state.output, nextRound, isOver };
}

const calling = { status: 'calling', content: [] } as const;
const unmade = { status: 'in_progress', started: false, content: [] } as const;
const searching = { status: 'searching', output: '' } as const;
const unsearched = { status: 'in_progress', query: null, output: '' } as const;

test('what nobody has begun is begun', () => {
  expect(takeOver({ ...INITIAL_STATE, status: 'queued' })).toEqual({ kind: 'fresh' });
});

test('what has begun and said nothing goes on with nothing', () => {
  expect(goesOn()).toEqual({ output: [], nextRound: 0, isOver: false });
});

test('a round that was speaking, or had ended without a call, is dropped whole', () => {
  const speaking = { ...says('So', 0), status: 'in_progress' } as const;
  expect(goesOn(thinks(0), speaking)).toEqual({ output: [], nextRound: 0, isOver: false });
  expect(goesOn(thinks(0), says('So.', 0))).toEqual({ output: [], nextRound: 0, isOver: false });
});

test('a round is dropped for as long as none of its calls has started', () => {
  const failed = callsMcp('b', 0, { ...unmade, status: 'failed' });
  const nothing = { output: [], nextRound: 0, isOver: false };
  expect(goesOn(says('So.', 0), callsMcp('a', 0, unmade), searches('c', 0, unsearched))).toEqual(nothing);
  expect(goesOn(failed, searches('c', 0, { ...unsearched, status: 'failed' }))).toEqual(nothing);
  expect(goesOn(calls('f', 0), callsMcp('a', 0, unmade))).toEqual(nothing);
  expect(goesOn(asks('f', 0))).toEqual(nothing);
});

test('of a round of which a call has started the results stay, and what has none was interrupted', () => {
  const done = [says('So.', 0), callsMcp('a', 0), searches('b', 0)];
  const { output, nextRound, isOver } = goesOn(
    ...done,
    callsMcp('c', 0, calling),
    searches('d', 0, searching),
    callsMcp('e', 0, unmade),
    searches('f', 0, unsearched),
  );
  expect({ nextRound, isOver }).toEqual({ nextRound: 1, isOver: false });
  expect(output.slice(0, 3)).toEqual(done);
  expect(output.slice(3)).toMatchObject(
    Array.from({ length: 4 }, () => ({ status: 'failed', error: { type: 'interrupted', code: null } })),
  );
  const unknown = 'This call was interrupted: whether it took effect is not known, and it is not made again.';
  const notMade = 'This call was not made: the server that was to make it stopped before.';
  expect(brief(user('Hi'), ...output)).toEqual([
    'user Hi',
    'assistant So. [a b c d e f]',
    'tool a: given by a',
    'tool b: found by b',
    `tool c: ${unknown}`,
    `tool d: ${unknown}`,
    `tool e: ${notMade}`,
    `tool f: ${notMade}`,
  ]);
});

test('rounds before the last one with a started call stay; those after it are asked again', () => {
  const unknown = [calls('x', 0, { status: 'failed' }), outputs('x', 'There is no tool.', 0)];
  const made = [callsMcp('a', 1), callsMcp('b', 1, { status: 'failed', content: [] })];
  const after = [calls('y', 2, { status: 'failed' }), outputs('y', 'There is no tool.', 2), says('And', 3)];
  const kept = [...unknown, ...made];
  expect(goesOn(...kept, ...after)).toEqual({ output: kept, nextRound: 2, isOver: false });
  expect(goesOn(...unknown, says('Well', 1))).toEqual({ output: [], nextRound: 0, isOver: false });
});

test('a round that left something to the client is the last', () => {
  expect(goesOn(calls('f', 0), callsMcp('a', 0, calling))).toMatchObject({ nextRound: 1, isOver: true });
  expect(goesOn(asks('f', 0), searches('a', 0))).toMatchObject({ nextRound: 1, isOver: true });
  const failed = asks('f', 0, { status: 'failed' });
  expect(goesOn(failed, calls('g', 0, { status: 'failed' }), searches('a', 0))).toMatchObject({
    isOver: false,
  });
  expect(goesOn(callsMcp('a', 0), calls('f', 1))).toMatchObject({ nextRound: 1, isOver: false });
});

test('lists of tools stay once they are there, and are asked for again if not', () => {
  const failed = { ...lists(), status: 'failed' } as const;
  const open = { ...lists(), status: 'in_progress' } as const;
  const done = lists();
  expect(goesOn(open, failed, done)).toEqual({ output: [failed, done], nextRound: 0, isOver: false });
  expect(goesOn(done, says('So', 0))).toEqual({ output: [done], nextRound: 0, isOver: false });
});

test('of approved calls those that have ended stay, one in flight was interrupted, others are made yet', () => {
  const [one, two, three, four] = [asks('1', 0), asks('2', 0), asks('3', 0), asks('4', 0)];
  const done = carriesOut(one);
  const blocked = carriesOut(two, { status: 'failed', started: false });
  const { output, ...rest } = goesOn(done, blocked, carriesOut(three, calling), carriesOut(four, unmade));
  expect(rest).toEqual({ nextRound: 0, isOver: false });
  expect(output).toMatchObject([
    done,
    blocked,
    { status: 'failed', started: true, approvalRequestId: three.id, error: { type: 'interrupted' } },
  ]);
});

test('taken over again, nothing more is lost', () => {
  const { output } = goesOn(lists(), callsMcp('a', 0), callsMcp('b', 0, calling), says('So', 1));
  expect(goesOn(...output)).toEqual({ output, nextRound: 1, isOver: false });
});
