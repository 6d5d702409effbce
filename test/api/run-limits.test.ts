import { expect, test, vi } from 'vitest';
import { cancel } from '../support/cancel.ts';
import { hangsAfter } from '../support/chat-server.ts';
import { ask, createResponse } from '../support/graphql.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const CREATE = `mutation ($input: CreateResponseInput!) {
  createResponse(input: $input) {
    response { id status }
    errors { __typename code message path ... on LimitError { retryAfterSeconds } }
  }
}`;

async function create(app: TestApp, input: object) {
  return (await ask(app, CREATE, { input: { input: { text: 'Hi' }, ...input } })).createResponse;
}

const refused = {
  response: null,
  errors: [
    {
      __typename: 'LimitError',
      code: 'LIMIT_EXCEEDED',
      message: 'This server runs as many responses as it may. Try again, or ask for it in the background.',
      path: null,
      retryAfterSeconds: 5,
    },
  ],
};

test('more runs at once than MAX_RUNS are refused by name, until one has ended', async () => {
  await using app = await startTestApp({ config: { maxRuns: 2 } });
  app.upstream.enqueue(hangsAfter('a'), hangsAfter('b'));
  const { response } = await create(app, { stream: true });
  await create(app, { stream: true, store: false });
  expect(await create(app, {})).toEqual(refused);
  expect(await create(app, { stream: true })).toEqual(refused);
  expect(app.upstream.exchanges.length).toBeLessThanOrEqual(2);
  await cancel(app, response.id);
  expect(await create(app, {})).toMatchObject({ response: { status: 'COMPLETED' }, errors: [] });
});

test('of many requests at one moment exactly as many are taken as there is room for', async () => {
  await using app = await startTestApp({ config: { maxRuns: 5 } });
  app.upstream.enqueue(...Array.from({ length: 5 }, () => hangsAfter('x')));
  const answers = await Promise.all(Array.from({ length: 20 }, () => create(app, { stream: true })));
  expect(answers.filter(({ response }) => response !== null)).toHaveLength(5);
  expect(answers.filter(({ errors }) => errors.length > 0)).toEqual(
    Array.from({ length: 15 }, () => refused),
  );
});

test('a refused request leaves nothing behind: its key is free, and joining needs no room', async () => {
  await using app = await startTestApp({ config: { maxRuns: 1 } });
  app.upstream.enqueue(hangsAfter('x'));
  const first = { stream: true, idempotencyKey: 'first' };
  const { response } = await create(app, first);
  const second = { stream: true, idempotencyKey: 'second' };
  expect(await create(app, second)).toEqual(refused);
  expect(await create(app, first)).toMatchObject({ response: { id: response.id }, errors: [] });
  await cancel(app, response.id);
  expect(await create(app, second)).toMatchObject({ response: { status: 'IN_PROGRESS' }, errors: [] });
});

test('what is wrong with a request is said before there is talk of limits', async () => {
  await using app = await startTestApp({ config: { maxRuns: 1 } });
  app.upstream.enqueue(hangsAfter('x'));
  await create(app, { stream: true });
  expect(await create(app, { temperature: 3 })).toMatchObject({ errors: [{ code: 'INVALID_INPUT' }] });
});

test('background runs are no part of MAX_RUNS: they wait until there is room', async () => {
  await using app = await startTestApp({ config: { maxRuns: 1, maxBackgroundRuns: 1 } });
  app.upstream.enqueue(hangsAfter('x'));
  await create(app, { stream: true });
  await app.upstream.received(1);
  const ids: string[] = [];
  for (let each = 0; each < 3; each++) {
    const { response } = await create(app, { background: true });
    expect(response.status).toBe('QUEUED');
    ids.push(response.id);
  }
  const statuses = async () => {
    const { nodes } = await ask(
      app,
      'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Response { status } } }',
      {
        ids,
      },
    );
    return nodes.map(({ status }: { status: string }) => status);
  };
  await vi.waitUntil(async () => (await statuses()).every((status: string) => status === 'COMPLETED'), {
    timeout: 5000,
  });
  expect(app.upstream.exchanges).toHaveLength(4);
});

test('background without store is refused by name', async () => {
  await using app = await startTestApp();
  expect(await create(app, { background: true, store: false })).toMatchObject({
    response: null,
    errors: [{ code: 'INVALID_INPUT', path: ['background'] }],
  });
});

test('stream and background together mean background', async () => {
  await using app = await startTestApp({ config: { detachGraceMs: 0 } });
  const response = await createResponse(app, { input: { text: 'Hi' }, background: true, stream: true });
  expect(response.status).toBe('QUEUED');
});
