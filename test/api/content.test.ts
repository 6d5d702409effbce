import { expect, test } from 'vitest';
import { chunk, DONE, json, says, sends, sse, streams, USAGE } from '../support/chat-server.ts';
import { ask, ITEM_FIELDS } from '../support/graphql.ts';
import { outputFor, pendingItems, run, sentTo } from '../support/run.ts';
import { collect } from '../support/stream.ts';
import { startTestApp, type TestApp } from '../support/test-app.ts';

const input = { text: 'Hi' };
const stop = chunk({}, 'stop');

test('reasoning, then text: an item for each', async () => {
  await using app = await startTestApp();
  const thoughts = [chunk({ reasoning_content: 'Let me' }), chunk({ reasoning_content: ' think.' })];
  app.upstream.enqueue(streams(...thoughts, chunk({ content: 'Four.' }), stop));
  const response = await run(app, { input });
  expect(response).toMatchObject({
    outputText: 'Four.',
    output: [
      {
        __typename: 'Reasoning',
        status: 'COMPLETED',
        content: [{ __typename: 'ReasoningText', text: 'Let me think.' }],
        summary: [],
        encryptedContent: null,
      },
      { __typename: 'Message', text: 'Four.' },
    ],
  });
  expect(await typesOf(app, response.id)).toEqual([
    ...['OutputItemAdded', 'ContentPartAdded', 'ReasoningTextDelta', 'ReasoningTextDone'],
    ...['ContentPartDone', 'OutputItemDone'],
    ...['OutputItemAdded', 'ContentPartAdded', 'OutputTextDelta', 'OutputTextDone'],
    ...['ContentPartDone', 'OutputItemDone'],
  ]);
});

test('encrypted reasoning is kept with its item, with or without words beside it', async () => {
  await using app = await startTestApp();
  const encrypted = (data: string) => chunk({ reasoning_details: [{ type: 'reasoning.encrypted', data }] });
  app.upstream.enqueue(streams(chunk({ reasoning: 'Hm' }), encrypted('AAAA'), chunk({ content: '4' }), stop));
  app.upstream.enqueue(streams(encrypted('BBBB'), chunk({ content: '5' }), stop));
  expect((await run(app, { input })).output[0]).toMatchObject({
    content: [{ text: 'Hm' }],
    encryptedContent: 'AAAA',
  });
  expect((await run(app, { input })).output).toMatchObject([
    { __typename: 'Reasoning', content: [], encryptedContent: 'BBBB' },
    { text: '5' },
  ]);
});

test('a refusal is a part of its own', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(streams(chunk({ refusal: 'I can' }), chunk({ refusal: 'not.' }), stop));
  const response = await run(app, { input });
  expect(response).toMatchObject({
    status: 'COMPLETED',
    outputText: '',
    output: [{ content: [{ __typename: 'Refusal', refusal: 'I cannot.' }] }],
  });
  await run(app, { input, previousResponseId: response.id });
  expect(sentTo(app).messages[1]).toEqual({ role: 'assistant', content: '', refusal: 'I cannot.' });
});

test('text and a refusal are two parts of one message, and go back as one', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(streams(chunk({ content: 'Well.' }), chunk({ refusal: 'No.' }), stop));
  const response = await run(app, { input });
  expect(response.output).toMatchObject([
    { text: 'Well.', content: [{ text: 'Well.' }, { refusal: 'No.' }] },
  ]);
  await run(app, { input, previousResponseId: response.id });
  expect(sentTo(app).messages[1]).toEqual({ role: 'assistant', content: 'Well.', refusal: 'No.' });
});

test('annotations become UrlCitations of the text', async () => {
  await using app = await startTestApp();
  const url_citation = { url: 'https://example.com', title: 'Example', start_index: 0, end_index: 4 };
  const bare = { type: 'url_citation', url_citation: { url: 'https://example.org' } };
  const annotations = [{ type: 'url_citation', url_citation }, { type: 'file_citation' }, bare];
  app.upstream.enqueue(streams(chunk({ content: 'Said.' }), chunk({ annotations }), stop));
  const response = await run(app, { input });
  const cited = [
    { url: 'https://example.com', title: 'Example', startIndex: 0, endIndex: 4 },
    { url: 'https://example.org', title: null, startIndex: 0, endIndex: 0 },
  ];
  expect(response.output[0].content).toMatchObject([{ text: 'Said.', annotations: cited }]);
  const events = await collect(app, { id: response.id });
  const told = events.filter(({ __typename }) => __typename === 'OutputTextAnnotationAddedEvent');
  expect(told.map((event) => [event['annotationIndex'], event['annotation']])).toEqual([
    [0, cited[0]],
    [1, cited[1]],
  ]);
});

test('annotations that come before the end of the text are told after all of it', async () => {
  await using app = await startTestApp();
  const annotations = [{ type: 'url_citation', url_citation: { url: 'https://example.com' } }];
  const early = [chunk({ annotations }), chunk({ content: 'One ', annotations }), chunk({ content: 'two' })];
  for (const rest of [
    [stop],
    [chunk({ refusal: 'No.' }), stop],
    [chunk({}, 'length')],
    [{ error: 'Away' }],
  ]) {
    app.upstream.enqueue(streams(...early, ...rest));
    const response = await run(app, { input });
    expect(response.output[0].content[0]).toMatchObject({ text: 'One two', annotations: [{}, {}] });
    const types = await typesOf(app, response.id);
    expect(types.filter((type) => /^OutputText/.test(type))).toEqual([
      ...['OutputTextDelta', 'OutputTextAnnotationAdded', 'OutputTextAnnotationAdded', 'OutputTextDone'],
    ]);
  }
});

test('an emoji whose halves come in two chunks is whole in the end', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('a\ud83d', '\ude00b', '❤', '\ufe0f'));
  const response = await run(app, { input });
  expect(response.outputText).toBe('a😀b❤️');
  expect(await storedBodies(app)).toContain('a😀b❤️');
});

const WILD = 'a\0b\ud800c\udfffd\u2028\ufffe"\\\r\n';

test('NUL and lone surrogates are kept: in text, arguments, call ids, instructions and inputs', async () => {
  await using app = await startTestApp();
  const made = { index: 0, id: WILD, function: { name: 'f', arguments: WILD } };
  app.upstream.enqueue(streams(chunk({ content: WILD }), chunk({ tool_calls: [made] }), stop));
  const tools = [{ function: { name: 'f', description: WILD, parameters: { title: WILD } } }];
  const first = await run(app, { input: { text: WILD }, instructions: WILD, tools });
  expect(first).toMatchObject({
    outputText: WILD,
    output: [{ text: WILD }, { callId: WILD, arguments: WILD }],
  });
  expect(await pendingItems(app, first.id)).toMatchObject([{ callId: WILD, arguments: WILD }]);
  const query = `query Wild($id: ID!) {
    response(id: $id) {
      instructions
      tools { ... on FunctionTool { description parameters } }
      inputItems(scope: OWN) { nodes { ...ItemFields } }
    }
  } ${ITEM_FIELDS}`;
  expect((await ask(app, query, { id: first.id })).response).toMatchObject({
    instructions: WILD,
    tools: [{ description: WILD, parameters: { title: WILD } }],
    inputItems: { nodes: [{ text: WILD }] },
  });

  const items = [outputFor(WILD, WILD)];
  const more = { serviceTier: WILD, safetyIdentifier: WILD, promptCacheKey: WILD };
  await run(app, { input: { items }, previousResponseId: first.id, instructions: WILD, ...more });
  expect(await pendingItems(app, first.id)).toEqual([]);
  const body = sentTo(app);
  expect(body).toMatchObject({ service_tier: WILD, safety_identifier: WILD, prompt_cache_key: WILD });
  expect(body.messages).toMatchObject([
    { role: 'system', content: WILD },
    { role: 'user', content: WILD },
    { role: 'assistant', content: WILD, tool_calls: [{ id: WILD, function: { arguments: WILD } }] },
    { role: 'tool', tool_call_id: WILD, content: WILD },
  ]);
});

test('NUL and lone surrogates in the words of a failure are kept too', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(json(400, { error: { message: WILD } }));
  expect(await run(app, { input })).toMatchObject({ status: 'FAILED', error: { message: WILD } });
});

test('empty deltas open no item', async () => {
  await using app = await startTestApp();
  const empty = { role: 'assistant', content: '', refusal: '', reasoning_content: '', tool_calls: [] };
  app.upstream.enqueue(
    streams(chunk(empty), chunk({ content: null }), chunk({ content: 'x' }), chunk(empty), stop),
  );
  expect((await run(app, { input })).output).toMatchObject([{ text: 'x', content: [{ text: 'x' }] }]);
});

test('a completion without a word but with a finish reason is complete, and empty', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(streams(chunk({ content: '' }), stop));
  const response = await run(app, { input });
  expect(response).toMatchObject({ status: 'COMPLETED', output: [], outputText: '', usage: null });
  await run(app, { input, previousResponseId: response.id });
  expect(sentTo(app).messages.map(({ role }) => role)).toEqual(['user', 'user']);
});

test('content_filter ends the run as INCOMPLETE, with what was said', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(streams(chunk({ content: 'How to' }), chunk({}, 'content_filter', { usage: USAGE })));
  expect(await run(app, { input })).toMatchObject({
    status: 'INCOMPLETE',
    incompleteDetails: { reason: 'CONTENT_FILTER' },
    output: [{ status: 'INCOMPLETE', text: 'How to' }],
    usage: { totalTokens: 15 },
  });
});

test('a JSON answer to a streaming request is read as if it had been streamed', async () => {
  await using app = await startTestApp();
  const made = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
  const message = {
    role: 'assistant',
    content: 'See.',
    reasoning_content: 'Hm',
    refusal: null,
    tool_calls: [made],
  };
  app.upstream.enqueue(
    json(200, { choices: [{ index: 0, message, finish_reason: 'tool_calls' }], usage: USAGE }),
  );
  expect(await run(app, { input, tools: [{ function: { name: 'f' } }] })).toMatchObject({
    status: 'COMPLETED',
    output: [{ content: [{ text: 'Hm' }] }, { text: 'See.' }, { callId: 'a', arguments: '{}' }],
    usage: { totalTokens: 15 },
  });
});

test('figures that no Int can hold do not make a response unreadable', async () => {
  await using app = await startTestApp();
  const usage = { prompt_tokens: 2 ** 60, completion_tokens: 1.5, total_tokens: -1 };
  const url_citation = { url: 'https://example.com', start_index: 2 ** 40, end_index: 2 ** 50 };
  const annotations = [{ type: 'url_citation', url_citation }];
  app.upstream.enqueue(sends(sse(chunk({ content: 'x', annotations }), stop, { choices: [], usage }) + DONE));
  expect(await run(app, { input })).toMatchObject({
    usage: { inputTokens: 0, outputTokens: 1, totalTokens: 1 },
    output: [{ content: [{ annotations: [{ startIndex: 0, endIndex: 0 }] }] }],
  });
});

/** The events between ResponseInProgress and the end, by their short names. */
async function typesOf(app: TestApp, id: string): Promise<string[]> {
  const events = await collect(app, { id });
  const names = events.slice(2, -1).map(({ __typename }) => __typename.replace(/Event$/, ''));
  return names.filter((name, at) => !name.endsWith('Delta') || name !== names[at - 1]);
}

/** Whatever is stored of items, as it lies in the database. */
async function storedBodies(app: TestApp): Promise<string> {
  const rows = await app.database.sql<{ body: string }[]>`select body from items`;
  return rows.map(({ body }) => body).join('\n');
}
