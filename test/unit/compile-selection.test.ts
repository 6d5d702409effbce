import {
  executeSubscriptionEvent,
  parse,
  type ValidatedSubscriptionArgs,
  validate,
  validateSubscriptionArgs,
} from 'graphql';
import { expect, test } from 'vitest';
import type { EventNode } from '../../src/graphql/event-types.ts';
import { compileSelection } from '../../src/graphql/live/compile-selection.ts';
import { schema } from '../../src/graphql/schema.ts';
import { formatStreamCursor } from '../../src/protocol/stream-cursor.ts';
import { chooseSeed, createRandom } from '../support/random.ts';
import { type RandomSubscription, randomSubscription } from '../support/random-subscription.ts';
import { anyBase, anyEvents } from '../support/sample-events.ts';

const SEED = chooseSeed();

/** What resolvers ask of their context. There is nothing else to be read. */
const CONTEXT = {
  engine: {
    cursorOf: (responseId: EventNode['base']['id'], sequenceNumber: number) =>
      formatStreamCursor({ responseId, sequenceNumber }),
  },
  load: new Proxy({}, { get: () => async () => null }),
};

function operationOf({ query, variables }: RandomSubscription): ValidatedSubscriptionArgs {
  const operation = validateSubscriptionArgs({
    schema,
    document: parse(query),
    variableValues: variables,
    contextValue: CONTEXT,
  });
  if (!('schema' in operation)) throw new Error(`${query}: ${operation.join()}`);
  return operation;
}

/** As GraphQL's own executor says it: null if it has something to wait for, or an error to tell. */
function executed(operation: ValidatedSubscriptionArgs, rootValue: object): string | null {
  const result = executeSubscriptionEvent({ ...operation, rootValue });
  if (result instanceof Promise) return null;
  return result.errors === undefined ? JSON.stringify(result) : null;
}

test(`of every event, what is compiled is byte for byte what is executed (TEST_SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  const nodes = Array.from({ length: 7 }, () => {
    const base = anyBase(random);
    return anyEvents(random).map((event): EventNode => ({ event, base }));
  });
  const compiled = { texts: 0, left: 0 };
  for (let selections = 0; selections < 2000; ) {
    const subscription = randomSubscription(schema, random);
    if (validate(schema, parse(subscription.query)).length > 0) continue;
    const operation = operationOf(subscription);
    const select = compileSelection(operation);
    for (const [index, node] of (nodes[selections % nodes.length] ?? []).entries()) {
      if (index % 4 !== selections % 4) continue; // all of them would take several times as long
      const text = select?.(node, CONTEXT) ?? null;
      const expected = executed(operation, node);
      if (text !== expected) expect(text, JSON.stringify({ subscription, node })).toBe(expected);
      if (text === null) compiled.left++;
      else compiled.texts++;
    }
    selections++;
  }
  expect(compiled.texts).toBeGreaterThan(10 * compiled.left);
}, 30_000);

const STREAM = 'stream: responseStream(id: "x")';

test.each([
  ['an operation that only introspects', `subscription { __typename }`],
  [
    'two fields at the root',
    `subscription { ${STREAM} { cursor } other: responseStream(id: "x") { cursor } }`,
  ],
  ['a field that there is not', `subscription { somethingElse { cursor } }`],
  ['a directive of another kind', `subscription { ${STREAM} { cursor @custom } }`],
  ['one at a fragment', `subscription { ${STREAM} { ... on ResponseEvent @defer { cursor } } }`],
  ['one beside @include', `subscription { ${STREAM} { cursor @include(if: true) @custom } }`],
  ['nothing that is selected at the root', `subscription { ${STREAM} @skip(if: true) { cursor } }`],
])('%s is left to the executor', (_, query) => {
  const select = compileSelection(operationOf({ query, variables: {} }));
  const random = createRandom(SEED);
  const base = anyBase(random);
  for (const event of anyEvents(random)) expect(select?.({ event, base }, CONTEXT) ?? null).toBeNull();
});

test('a directive of another kind on one type of event leaves the events of that type to the executor', () => {
  const query = `subscription { ${STREAM} { cursor ... on OutputTextDeltaEvent { delta @custom } } }`;
  const select = compileSelection(operationOf({ query, variables: {} }));
  const random = createRandom(SEED);
  const base = anyBase(random);
  for (const event of anyEvents(random)) {
    const text = select?.({ event, base }, CONTEXT);
    expect(text === null, event.type).toBe(event.type === 'response.output_text.delta');
  }
});
