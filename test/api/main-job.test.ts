import { expect, test } from 'vitest';
import { feed, says } from '../support/chat-server.ts';
import { createResponse, readResponse } from '../support/graphql.ts';
import { collect, TRANSPORTS } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';

test('createResponse answers with the whole text and the usage', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('Hello', ' there', '!'));
  const response = await createResponse(app, { input: { text: 'Hi' } });
  expect(response).toMatchObject({
    status: 'COMPLETED',
    model: 'test-model',
    outputText: 'Hello there!',
    usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 },
    output: [{ __typename: 'Message', role: 'ASSISTANT', status: 'COMPLETED', text: 'Hello there!' }],
    error: null,
  });
  expect(await readResponse(app, response.id)).toEqual(response);
  expect(app.upstream.exchanges[0]?.body).toMatchObject({
    model: 'test-model',
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
    stream_options: { include_usage: true },
  });
});

test.each(TRANSPORTS)('stream: true comes back at once, and %s gives every delta', async (transport) => {
  await using app = await startTestApp();
  const upstream = feed();
  app.upstream.enqueue(upstream.answer);
  const started = await createResponse(app, { input: { text: 'Hi' }, stream: true });
  expect(started).toMatchObject({ status: 'IN_PROGRESS', outputText: '' });

  const whole = collect(app, { id: started.id }, transport);
  await upstream.say('One ', 'two ', 'three');
  await upstream.end();
  const events = await whole;
  expect(events.at(-1)).toMatchObject({
    __typename: 'ResponseCompletedEvent',
    response: { status: 'COMPLETED' },
  });
  const deltas = events.map((event) => event['delta'] ?? '').join('');
  expect(deltas).toBe('One two three');
  expect((await readResponse(app, started.id)).outputText).toBe(deltas);
  expect(await readResponse(app, started.id)).toEqual(events.at(-1)?.['response']);
});
