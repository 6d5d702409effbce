import { parse, validateSubscriptionArgs } from 'graphql';
import { expect, test } from 'vitest';
import { selectionOf } from '../../src/graphql/live/shared-selection.ts';
import { schema } from '../../src/graphql/schema.ts';
import { newResponseId } from '../../src/protocol/ids.ts';
import { createRandom } from '../support/random.ts';
import { anyBase, anyEvents } from '../support/sample-events.ts';

const random = createRandom(1);

/** Counts how often a cursor is asked for. */
function countingContext() {
  const context = {
    asked: 0,
    engine: { cursorOf: (id: string, sequence: number) => `${++context.asked} ${id} ${sequence}` },
  };
  return context;
}

const document = parse(`
  subscription One($id: ID!, $with: Boolean = true) { responseStream(id: $id) { sequenceNumber cursor } }
  subscription Two($id: ID!, $after: String) { responseStream(id: $id, after: $after) { __typename } }
  subscription Three($id: ID!, $with: Boolean!) {
    responseStream(id: $id) { ... on ResponseEvent { ... @include(if: $with) { cursor } } }
  }`);

function select(operationName: string, variableValues: { readonly [name: string]: unknown }, of = document) {
  const operation = validateSubscriptionArgs({ schema, document: of, operationName, variableValues });
  if (!('schema' in operation)) throw new Error(operation.join());
  return selectionOf(operation);
}

test('followers with one document share what it selects, whatever response they follow from wherever', () => {
  const shared = select('Two', { id: 'a' });
  expect(shared).not.toBeNull();
  expect(select('Two', { id: 'b', after: 'c' })).toBe(shared);
});

test('each operation of a document, and each document, has its own', () => {
  const all = [select('One', { id: 'a' }), select('Two', { id: 'a' })];
  const other = parse('subscription One($id: ID!) { responseStream(id: $id) { cursor } }');
  all.push(select('One', { id: 'a' }, other));
  expect(new Set(all).size).toBe(3);
});

test.each([
  ['in a selection', 'a: cursor @include(if: $with)', ''],
  ['at an inline fragment', '... @skip(if: $with) { cursor }', ''],
  ['in a fragment', '...F', 'fragment F on ResponseEvent { cursor @include(if: $with) }'],
  ['at a fragment', '...F @skip(if: $with)', 'fragment F on ResponseEvent { cursor }'],
  [
    'in an argument',
    '... on ResponseLifecycleEvent { response { continuations(first: $size) { totalCount } } }',
    '',
  ],
])('where a variable stands %s nothing is shared', (_, selection, fragment) => {
  const variables = '$with: Boolean! = true, $size: Int';
  const own = parse(
    `subscription S(${variables}) { responseStream(id: "x") { __typename ${selection} } } ${fragment}`,
  );
  expect(select('S', {}, own)).not.toBe(select('S', {}, own));
});

test('an operation whose variables decide what is selected gives each its own', () => {
  const base = anyBase(random);
  const batch = anyEvents(random);
  const texts = [true, false].map((isWith) => {
    const selection = select('Three', { id: 'a', with: isWith });
    return selection?.textsOf(batch, base, countingContext())[0];
  });
  expect(texts[0]).toBe(`{"data":{"responseStream":{"cursor":"1 ${base.id} 0"}}}`);
  expect(texts[1]).toBe('{"data":{"responseStream":{}}}');
});

test('a batch is made into text once for all its followers; an equal batch of another response is not that batch', () => {
  const context = countingContext();
  const selection = select('One', { id: 'a' });
  const [mine, yours] = [anyBase(random), { ...anyBase(random), id: newResponseId() }];
  const batch = anyEvents(random);
  const texts = selection?.textsOf(batch, mine, context);
  expect(context.asked).toBe(batch.length);
  expect(selection?.textsOf(batch, mine, countingContext())).toBe(texts);
  expect(context.asked).toBe(batch.length);
  const others = selection?.textsOf([...batch], yours, context) ?? [];
  expect(context.asked).toBe(2 * batch.length);
  for (const text of others) expect(text).toContain(yours.id);
  for (const text of texts ?? []) expect(text).toContain(mine.id);
});

test('what goes over the wire is UTF-8, whatever the text holds', () => {
  const own = parse('subscription S { responseStream(id: "x") { ... on RefusalDeltaEvent { delta } } }');
  const delta = 'é 日本 𝄞 \ud83d " \u2028';
  const [draft] = anyEvents(random).filter(({ type }) => type === 'response.refusal.delta');
  if (draft?.type !== 'response.refusal.delta') throw new Error('no refusal');
  const [text] = select('S', {}, own)?.textsOf([{ ...draft, delta }], anyBase(random), {}) ?? [];
  const read = JSON.parse(Buffer.from(text ?? '', 'latin1').toString('utf8'));
  expect(read).toEqual({ data: { responseStream: { delta } } });
});
