import { expect, test, vi } from 'vitest';
import { feed } from '../support/chat-server.ts';
import { watchFollowers } from '../support/followers.ts';
import { createResponse, type GraphQLAnswer } from '../support/graphql.ts';
import { TRANSPORTS, type Transport } from '../support/stream.ts';
import { type Subscription, subscribe } from '../support/subscribe.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

async function started(app: TestApp) {
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  return { id: id as string, upstream };
}

const eventsOf = (results: readonly GraphQLAnswer[]) => results.map(({ data }) => data.responseStream);
const textOf = (results: readonly GraphQLAnswer[]) =>
  eventsOf(results)
    .map(({ delta }) => delta ?? '')
    .join('');

/** Follows over both transports at once; `begin` waits until all of them do. */
function followAll(app: TestApp, subscriptions: readonly Subscription[]) {
  const followers = watchFollowers();
  const all = TRANSPORTS.flatMap((transport: Transport) =>
    subscriptions.map((each) => Array.fromAsync(subscribe(app, each, transport))),
  );
  return {
    begin: () => vi.waitUntil(() => followers.count === all.length, { timeout: 5000, interval: 5 }),
    results: Promise.all(all),
    [Symbol.dispose]: () => followers[Symbol.dispose](),
  };
}

test('followers of two responses with one document are given each its own, live and afterwards', async () => {
  await using app = await startTestApp();
  const [one, two] = [await started(app), await started(app)];
  const query = `subscription Text($id: ID!) {
    responseStream(id: $id) { cursor ... on OutputTextDeltaEvent { delta } }
  }`;
  const subscriptions = [one, two, one].map(({ id }) => ({ query, variables: { id } }));
  using live = followAll(app, subscriptions);
  await live.begin();
  for (const word of ['a', 'b', 'c']) {
    await one.upstream.say(`${word}1 `);
    await two.upstream.say(`${word}2 `);
  }
  await Promise.all([one.upstream.end(), two.upstream.end()]);
  const later = TRANSPORTS.flatMap((transport) =>
    subscriptions.map((each) => Array.fromAsync(subscribe(app, each, transport))),
  );
  for (const all of [live.results, Promise.all(later)]) {
    for (const [index, results] of (await all).entries()) {
      const isTwo = index % 3 === 1;
      expect(textOf(results)).toBe(isTwo ? 'a2 b2 c2 ' : 'a1 b1 c1 ');
      for (const { cursor } of eventsOf(results)) expect(cursor).toContain(isTwo ? two.id : one.id);
    }
  }
});

test('followers of one response whose variables differ are given what theirs select', async () => {
  await using app = await startTestApp({ config: { joinsDeltas: false } });
  const { id, upstream } = await started(app);
  const query = `
    subscription ($id: ID!, $after: String, $types: [ResponseEventType!], $with: Boolean! = true) {
      responseStream(id: $id, after: $after, types: $types) { sequenceNumber ...Delta @include(if: $with) }
    }
    fragment Delta on OutputTextDeltaEvent { delta }`;
  const ways = [{}, { with: false }, { with: true }, { types: [] }, { after: `${id}~1` }];
  using live = followAll(
    app,
    ways.map((way) => ({ query, variables: { id, ...way } })),
  );
  await live.begin();
  await upstream.say('One ', 'two');
  await upstream.end();
  const found = (await live.results).map((results) => ({
    numbers: eventsOf(results).map(({ sequenceNumber }) => sequenceNumber),
    text: textOf(results),
  }));
  const numbers = Array.from({ length: 10 }, (_, number) => number);
  const expected = [
    { numbers, text: 'One two' },
    { numbers, text: '' },
    { numbers, text: 'One two' },
    { numbers: [0, 1, 9], text: '' },
    { numbers: numbers.slice(2), text: 'One two' },
  ];
  expect(found).toEqual([...expected, ...expected]);
});

test('each operation of one document selects what it says, and one that is not named is refused', async () => {
  await using app = await startTestApp();
  const { id, upstream } = await started(app);
  const query = `
    subscription Kinds($id: ID!) { responseStream(id: $id) { __typename } }
    subscription Numbers($id: ID!) { stream: responseStream(id: $id) { number: sequenceNumber } }`;
  const variables = { id };
  using live = followAll(app, [
    { query, variables, operationName: 'Kinds' },
    { query, variables, operationName: 'Numbers' },
  ]);
  await live.begin();
  await upstream.say('One');
  await upstream.end();
  for (const [index, results] of (await live.results).entries()) {
    const [first] = results;
    expect(first?.data).toEqual(
      index % 2 === 0
        ? { responseStream: { __typename: 'ResponseCreatedEvent' } }
        : { stream: { number: 0 } },
    );
    expect(results.length).toBe(9);
  }
  for (const transport of TRANSPORTS) {
    const all = Array.fromAsync(subscribe(app, { query, variables }, transport));
    expect(
      await all.then(
        () => 'taken',
        () => 'refused',
      ),
    ).toBe('refused');
  }
});
