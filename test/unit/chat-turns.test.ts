import { describe, expect, test } from 'vitest';
import type { Item, MessageItem } from '../../src/protocol/items.ts';
import {
  asks,
  brief,
  calls,
  callsMcp,
  carriesOut,
  decides,
  FAILURE,
  lists,
  outputs,
  says,
  searches,
  thinks,
  told,
  user,
} from '../support/conversation.ts';

const CUT_OFF = 'This call was started and then cut off: whether it took effect is not known.';

describe('approvals', () => {
  const request = asks('c', 0);
  const unrelated = asks('d', 0);
  test.each<[string, readonly Item[], string]>([
    ['denied', [decides(request, false)], 'The user did not approve this call.'],
    ['denied with an empty reason', [decides(request, false, '')], 'The user did not approve this call.'],
    [
      'denied with a reason',
      [decides(request, false, 'Too dear.')],
      'The user did not approve this call. The reason given: Too dear.',
    ],
    [
      'approved and not carried out',
      [decides(request, true)],
      'The user approved this call, but it has not been carried out.',
    ],
    [
      'approved, and stopped while it was carried out',
      [decides(request, true), carriesOut(request, { status: 'incomplete', started: true })],
      CUT_OFF,
    ],
    [
      'approved, and stopped before it was carried out',
      [decides(request, true), carriesOut(request, { status: 'incomplete', started: false })],
      'The user approved this call, but it has not been carried out.',
    ],
    [
      'approved, and still being carried out',
      [decides(request, true), carriesOut(request, { status: 'calling', started: true })],
      CUT_OFF,
    ],
    [
      'denied in vain, then approved',
      [decides(request, false, 'No.'), decides(request, true)],
      'The user approved this call, but it has not been carried out.',
    ],
    ['carried out', [decides(request, true), carriesOut(request)], 'given by c'],
    ['carried out, without a word of who approved', [carriesOut(request)], 'given by c'],
    [
      'carried out in vain',
      [decides(request, true), carriesOut(request, { status: 'failed', error: FAILURE })],
      FAILURE.message,
    ],
    [
      'carried out twice',
      [carriesOut(request, { status: 'failed', error: FAILURE }), carriesOut(request)],
      'given by c',
    ],
    [
      'carried out, then begun again',
      [carriesOut(request), carriesOut(request, { status: 'incomplete' })],
      'given by c',
    ],
    [
      'answered only by what belongs to another',
      [decides(unrelated, true), carriesOut(unrelated)],
      'This call was not approved.',
    ],
  ])('a call that was %s is told so where it was made', (_, later, answer) => {
    expect(brief(says('May I?', 0), request, user('Well'), ...later, says('So', 0))).toEqual([
      'assistant May I? [c]',
      `tool c: ${answer}`,
      'user Well',
      'assistant So',
    ]);
  });

  test('a request that failed is not answered by anything else', () => {
    const failed = asks('c', 0, { status: 'failed', error: FAILURE });
    expect(told(failed, decides(failed, true), carriesOut(failed))).toBe(FAILURE.message);
  });

  test('several requests are answered on different turns, the one that nobody answered with "not approved"', () => {
    const [one, two, three] = [asks('one', 0), asks('two', 0), asks('three', 0)];
    const turns = [
      [user('Go'), one, two, three],
      [decides(two, false, 'No.'), says('Pity.', 0)],
      [decides(one, true), user('But do this.'), carriesOut(one), says('Done.', 0)],
    ];
    expect(brief(...turns.flat())).toEqual([
      'user Go',
      'assistant null [one two three]',
      'tool one: given by one',
      'tool two: The user did not approve this call. The reason given: No.',
      'tool three: This call was not approved.',
      'assistant Pity.',
      'user But do this.',
      'assistant Done.',
    ]);
  });

  test('an answer to a request that is not in the conversation is not sent', () => {
    expect(brief(user('Hi'), decides(request, true), carriesOut(request))).toEqual(['user Hi']);
  });
});

describe('turns', () => {
  const request = asks('c', 0);
  test.each<[string, Item]>([
    ['an output', outputs('x', 'y')],
    ['an answer to a request for approval', decides(request, true)],
    ['a call that was approved', carriesOut(request)],
    ['a list of tools', lists()],
    ['reasoning given as input', thinks(null)],
    ['a call that was cut off', calls('x', 1, { status: 'incomplete' })],
  ])('of two responses stay apart where only %s stands between', (_, between) => {
    expect(brief(says('one', 0), between, says('two', 0))).toEqual(['assistant one', 'assistant two']);
  });

  test('stay apart where nothing stands between: they come from different rounds, or one was given', () => {
    expect(
      brief(says('one', 0), says('two', 1), says('three', null), says('four', 0), calls('c', 0)),
    ).toEqual(['assistant one', 'assistant two', 'assistant three', 'assistant four']);
  });

  test('end where anybody else speaks', () => {
    const rules: MessageItem = { ...user('Rules.'), role: 'developer' };
    expect(brief(says('one', 0), user('Hi'), says('two', 0), rules, says('three', 0))).toEqual([
      'assistant one',
      'user Hi',
      'assistant two',
      'system Rules.',
      'assistant three',
    ]);
  });

  test.each<[string, Item]>([
    ['a list of tools', lists()],
    ['reasoning', thinks(null)],
  ])('given as input are not split by %s', (_, between) => {
    const given = [says('So', null), between, calls('c', null), between, searches('s', null)];
    expect(brief(...given, outputs('c', 'x'))).toEqual([
      'assistant So [c s]',
      'tool c: x',
      'tool s: found by s',
    ]);
  });

  test('given as input begin with each message', () => {
    const given = [says('one', null), says('two', null), searches('s', null), says('three', null)];
    expect(brief(...given)).toEqual([
      'assistant one',
      'assistant two [s]',
      'tool s: found by s',
      'assistant three',
    ]);
  });

  test.each<[string, Item]>([
    ['a search', searches('s', null, { output: 'x' })],
    ['an MCP call', callsMcp('s', null, { content: [{ type: 'input_text', text: 'x' }] })],
  ])('given as input: what follows %s was said after its result', (_, call) => {
    expect(brief(user('Hi'), call, says('So', null))).toEqual([
      'user Hi',
      'assistant null [s]',
      'tool s: x',
      'assistant So',
    ]);
  });

  test('given as input: a message after a call that waits for its answer belongs to that call', () => {
    expect(brief(calls('c', null), says('Wait.', null), outputs('c', 'x'))).toEqual([
      'assistant Wait. [c]',
      'tool c: x',
    ]);
  });

  test('lists of tools and reasoning are never sent', () => {
    expect(brief(lists(), user('Hi'), lists(), thinks(0))).toEqual(['user Hi']);
  });

  test('in which a callId comes again are each answered, functions with the last output', () => {
    const context = [
      calls('c', 0),
      outputs('c', 'old'),
      calls('c', 0),
      outputs('c', 'new'),
      searches('c', 1),
    ];
    expect(brief(...context)).toEqual([
      'assistant null [c]',
      'tool c: new',
      'assistant null [c]',
      'tool c: new',
      'assistant null [c]',
      'tool c: found by c',
    ]);
  });
});
