import { expect, test } from 'vitest';
import { cutContext, nextCut } from '../../src/model/cut-context.ts';
import type { Item } from '../../src/protocol/items.ts';
import {
  asks,
  brief,
  calls,
  callsMcp,
  carriesOut,
  decides,
  lists,
  outputs,
  says,
  searches,
  thinks,
  user,
} from '../support/conversation.ts';

const rule = (text: string): Item => ({ ...user(text), role: 'system' });

/** All that a conversation can be cut to, the longest first. */
function cutsOf(context: readonly Item[]): readonly (readonly Item[])[] {
  const cuts = [context];
  for (let start = nextCut(context, 0); start !== null; start = nextCut(context, start)) {
    cuts.push(cutContext(context, start));
  }
  return cuts;
}

test('a conversation of nothing, or of rules alone, is not cut', () => {
  for (const context of [[], [rule('a')], [rule('a'), lists()], [rule('a'), user('b'), says('c', 0)]])
    expect(cutsOf(context)).toEqual([context]);
});

test('lists of tools stay, thoughts go with their turn', () => {
  const [listing, last] = [lists(), user('2')];
  expect(cutsOf([user('1'), listing, thinks(0), says('a', 0), last])[1]).toEqual([listing, last]);
});

test('an approval ties the turns from the request to what came of it', () => {
  const request = asks('a', 0);
  const beginning = [user('1'), request, user('2'), decides(request, true), user('3')];
  const carried = [...beginning, carriesOut(request), says('b', 0)];
  expect(cutsOf([...carried, user('4')]).map((cut) => cut.length)).toEqual([8, 1]);
  expect(cutsOf(carried)).toHaveLength(1);
  // Nobody has answered it: then nothing waits for it either.
  expect(cutsOf([user('1'), request, user('2')]).map((cut) => cut.length)).toEqual([3, 1]);
});

test('whatever the conversation, a cut keeps its rules and an end of it, and no answer loses its call', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const context = invent(seed);
    const whole = brief(...context);
    const cuts = cutsOf(context);
    const isRule = (line: string) => line.startsWith('system');
    for (const cut of cuts) {
      const kept = brief(...cut);
      const said = kept.filter((line) => !isRule(line));
      expect(kept.filter(isRule)).toEqual(whole.filter(isRule));
      const end = whole.filter((line) => !isRule(line)).slice(-said.length || whole.length);
      expect(said, `seed ${seed}`).toEqual(end);
      const answered = cut.flatMap((item) => (item.type === 'function_call_output' ? [item.callId] : []));
      const made = cut.flatMap((item) => (item.type === 'function_call' ? [item.callId] : []));
      expect([...made].sort()).toEqual([...answered].sort());
    }
    const question = context.findLastIndex((item) => item.type === 'message' && item.role === 'user');
    expect(cuts.at(-1)?.slice(question - context.length)).toEqual(context.slice(question));
    expect(cuts.length).toBeLessThan(8); // each half of the one before
  }
});

/** A conversation in which some calls are answered turns later. */
function invent(seed: number): readonly Item[] {
  let state = seed;
  const below = (limit: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
  const items: Item[] = below(2) === 0 ? [] : [says('hello', null)];
  const open: string[] = [];
  const length = 20 + below(60);
  for (let at = 0; at < length; at++) {
    const id = `${seed} ${at}`;
    const kinds: readonly (() => Item)[] = [
      () => user(id),
      () => user(id),
      () => says(id, at),
      () => rule(id),
      () => thinks(at),
      () => searches(id, at),
      () => callsMcp(id, at),
      () => calls(open[open.push(id) - 1] ?? '', at),
    ];
    items.push(kinds[below(kinds.length)]?.() ?? lists());
    if (below(3) === 0) items.push(...open.splice(0, 1).map((call) => outputs(call, call)));
  }
  return [...items, ...open.map((call) => outputs(call, call)), user('last')];
}
