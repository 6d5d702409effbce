import { expect, test } from 'vitest';
import { feed, says } from '../support/chat-server.ts';
import { createResponse } from '../support/graphql.ts';
import { TRANSPORTS } from '../support/stream.ts';
import { subscribe } from '../support/subscribe.ts';
import { startTestApp } from '../support/test-app.ts';

/** Of each event its number, and of some what this selects of the response. */
const selecting = (ofResponse: string) => `
  subscription ($id: ID!) {
    responseStream(id: $id) {
      sequenceNumber
      ... on ResponseLifecycleEvent { response { status ${ofResponse} } }
      ... on OutputTextDeltaEvent { delta }
    }
  }`;

test.each(TRANSPORTS)(
  '%s: a field that fails spoils its own event only, with its code and path, and the rest comes in order',
  async (transport) => {
    await using app = await startTestApp({ config: { joinsDeltas: false } });
    const upstream = feed();
    app.upstream.enqueue(upstream.answer);
    const { id } = await createResponse(app, { input: { text: 'Hi' }, stream: true });
    const query = selecting('continuations(first: 0) { totalCount }');
    const results = Array.fromAsync(subscribe(app, { query, variables: { id } }, transport));
    await upstream.say('One ', 'two');
    await upstream.end();
    const failed = {
      errors: [
        expect.objectContaining({
          path: ['responseStream', 'response', 'continuations'],
          extensions: { code: 'INVALID_INPUT' },
        }),
      ],
      data: null,
    };
    const event = (sequenceNumber: number, more = {}) => ({
      data: { responseStream: { sequenceNumber, ...more } },
    });
    const [created, begun, ...rest] = await results;
    expect([created, begun, rest.at(-1)]).toEqual([failed, failed, failed]);
    const [deltas, others] = [rest.slice(2, 4), [...rest.slice(0, 2), ...rest.slice(4, -1)]];
    expect(deltas).toEqual([event(4, { delta: 'One ' }), event(5, { delta: 'two' })]);
    expect(others).toEqual([2, 3, 6, 7, 8].map((number) => event(number)));
  },
);

test.each(TRANSPORTS)('%s: an error that nobody foresaw is masked', async (transport) => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('First'), says('Second'));
  const first = await createResponse(app, { input: { text: 'Hi' } });
  const { id } = await createResponse(app, { input: { text: 'And?' }, previousResponseId: first.id });
  await app.database.sql`update responses set settings = 'null' where id = ${first.id}`;
  const query = selecting('previousResponse { model }');
  const results = await Array.fromAsync(subscribe(app, { query, variables: { id } }, transport));
  for (const result of [results.at(0), results.at(-1)]) {
    expect(result?.errors).toEqual([
      {
        message: 'Internal server error',
        locations: [{ line: 5, column: expect.any(Number) }],
        path: ['responseStream', 'response', 'previousResponse', 'model'],
        extensions: { code: 'INTERNAL', id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      },
    ]);
    expect(result?.data).toEqual({
      responseStream: {
        sequenceNumber: expect.any(Number),
        response: { status: expect.any(String), previousResponse: null },
      },
    });
  }
  expect(JSON.stringify(results)).not.toContain('Cannot read');
  expect(results.filter(({ errors }) => errors === undefined).length).toBeGreaterThan(4);
});

test.each(TRANSPORTS)(
  '%s: what is read of the database for an event stands in its place among the others',
  async (transport) => {
    await using app = await startTestApp();
    app.upstream.enqueue(says('First'), says('Se', 'cond'));
    const { id: first } = await createResponse(app, { input: { text: 'Hi' } });
    const { id } = await createResponse(app, { input: { text: 'And?' }, previousResponseId: first });
    const query = selecting('previousResponse { id outputText }');
    const results = await Array.fromAsync(subscribe(app, { query, variables: { id } }, transport));
    const events = results.map(({ data, errors }) => {
      expect(errors).toBeUndefined();
      return data.responseStream;
    });
    expect(events.map(({ sequenceNumber }) => sequenceNumber)).toEqual(events.map((_, index) => index));
    const lifecycle = events.filter(({ response }) => response !== undefined);
    expect(lifecycle.map(({ response }) => response.previousResponse)).toEqual(
      Array(3).fill({ id: first, outputText: 'First' }),
    );
  },
);
