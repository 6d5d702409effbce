import { expect, test } from 'vitest';
import { branchOf } from '../support/branches.ts';
import { calls, chunk, json, says, streams } from '../support/chat-server.ts';
import { createResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { run, sentTo } from '../support/run.ts';
import { collect } from '../support/stream.ts';
import { startTestApp } from '../support/test-app.ts';
import { call, mcp, typesOf } from '../support/tools.ts';
import { AUTO, asked, assistant, message, refuses, TOO_LONG, tooLong, user } from '../support/truncation.ts';

const tools = [{ function: { name: 'weather' } }];
const ECHO = { echo: { run: ({ text }: { readonly [key: string]: unknown }) => `echo ${text}` } };

/** So many turns, U1 and A1 and so on, then a question. */
function turns(count: number): readonly object[] {
  const told = Array.from({ length: count }, (_, at) => [user(`U${at + 1}`), assistant(`A${at + 1}`)]);
  return [...told.flat(), user('Now?')];
}

test('a conversation that is too long loses the older half of its turns, then of the rest', async () => {
  await using app = await startTestApp();
  const previousResponseId = (await branchOf(app, 5)).at(-1);
  app.upstream.enqueue(refuses, refuses, refuses, says('Short enough.'));
  const response = await run(app, { input: { text: 'U6' }, previousResponseId, ...AUTO });
  expect(response).toMatchObject({ status: 'COMPLETED', outputText: 'Short enough.', error: null });
  expect(asked(app).slice(5)).toEqual([
    'U1 ok U2 ok U3 ok U4 ok U5 ok U6',
    'U4 ok U5 ok U6',
    'U5 ok U6',
    'U6',
  ]);
  expect(sentTo(app, 6).messages).toEqual([
    { role: 'user', content: 'U4' },
    { role: 'assistant', content: 'ok' },
    { role: 'user', content: 'U5' },
    { role: 'assistant', content: 'ok' },
    { role: 'user', content: 'U6' },
  ]);
});

test('what was cut is cut for this run only: a continuation begins with the whole conversation', async () => {
  await using app = await startTestApp();
  const previousResponseId = (await branchOf(app, 2)).at(-1);
  app.upstream.enqueue(refuses, says('A3'));
  const { id } = await run(app, { input: { text: 'U3' }, previousResponseId, ...AUTO });
  expect(asked(app).at(-1)).toBe('U2 ok U3');
  await run(app, { input: { text: 'U4' }, previousResponseId: id });
  expect(asked(app).at(-1)).toBe('U1 ok U2 ok U3 A3 U4');
});

test('three times at most: then the run fails in the words of the upstream', async () => {
  await using app = await startTestApp();
  const last = json(400, { error: { message: 'The input is too long.' } });
  app.upstream.enqueue(refuses, refuses, refuses, last);
  const response = await run(app, { input: { items: turns(15) }, ...AUTO });
  expect(response).toMatchObject({ ...tooLong('The input is too long.'), output: [] });
  const counts = app.upstream.exchanges.map(({ body }) => body.messages.length);
  expect(counts).toEqual([31, 15, 7, 3]);
});

test.each([
  ['a question alone', [user('U1')]],
  ['several rules and a question', [message('SYSTEM', 'S'), message('DEVELOPER', 'D'), user('U1')]],
  ['no user message at all', [assistant('A1'), assistant('A2'), message('SYSTEM', 'S')]],
])('%s: nothing can be cut, and the run fails at once', async (_, items) => {
  await using app = await startTestApp();
  app.upstream.enqueue(refuses);
  expect(await run(app, { input: { items }, ...AUTO })).toMatchObject({ ...tooLong(), output: [] });
  expect(app.upstream.exchanges).toHaveLength(1);
});

test.each([{}, { truncation: 'DISABLED' }])('with %j nothing is cut', async (truncation) => {
  await using app = await startTestApp();
  app.upstream.enqueue(refuses);
  expect(await run(app, { input: { items: turns(3) }, ...truncation })).toMatchObject(tooLong());
  expect(app.upstream.exchanges).toHaveLength(1);
});

test('another failure is not mended by cutting', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(refuses, json(400, { error: { message: 'No such role.' } }));
  expect(await run(app, { input: { items: turns(3) }, ...AUTO })).toMatchObject({
    error: { code: 'invalid_prompt', message: 'No such role.' },
  });
  expect(app.upstream.exchanges).toHaveLength(2);
});

const error = { error: { message: TOO_LONG, code: 'context_length_exceeded' } };

test('an error that a stream begins with counts like a refusal', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(streams(error), says('Short enough.'));
  const response = await run(app, { input: { items: turns(1) }, ...AUTO });
  expect(response).toMatchObject({ status: 'COMPLETED', outputText: 'Short enough.' });
  expect(asked(app)).toEqual(['U1 A1 Now?', 'Now?']);
});

test.each<[string, object, object]>([
  ['text', chunk({ content: 'Half' }), { __typename: 'Message', text: 'Half' }],
  ['a thought', chunk({ reasoning_content: 'Hm' }), { __typename: 'Reasoning' }],
  [
    'a call',
    chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'weather', arguments: '' } }] }),
    { __typename: 'FunctionCall' },
  ],
])('after %s was written it is too late to cut', async (_, written, item) => {
  await using app = await startTestApp();
  app.upstream.enqueue(streams(written, error));
  const response = await run(app, { input: { items: turns(3) }, tools, ...AUTO });
  expect(response).toMatchObject({ ...tooLong(), output: [{ ...item, status: 'INCOMPLETE' }] });
  expect(app.upstream.exchanges).toHaveLength(1);
});

test('later rounds keep the cut', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: ECHO });
  app.upstream.enqueue(refuses, calls([call('echo', { text: 'a' })]), says('Done.'));
  const response = await run(app, {
    input: { items: turns(3) },
    tools: [mcp('server', server)],
    ...AUTO,
  });
  expect(response).toMatchObject({ status: 'COMPLETED', outputText: 'Done.' });
  expect(asked(app)).toEqual(['U1 A1 U2 A2 U3 A3 Now?', 'U3 A3 Now?', 'U3 A3 Now? calls echo a']);
});

test('a later round can be too long: what this run did itself stays, and its cuts count together', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: ECHO });
  app.upstream.enqueue(
    refuses,
    calls([call('echo', { text: 'a' }, 'a')], 'I look.'),
    refuses,
    calls([call('echo', { text: 'b' }, 'b')]),
    refuses,
    refuses,
  );
  const request = { input: { items: turns(15) }, tools: [mcp('server', server)], ...AUTO };
  const response = await run(app, request);
  expect(response).toMatchObject({ ...tooLong(), outputText: 'I look.' });
  expect(typesOf(response.output)).toEqual(['McpListTools', 'Message', 'McpCall', 'McpCall']);
  const rest = 'U15 A15 Now?';
  const rounds = 'I look. echo a';
  expect(asked(app).slice(3)).toEqual([
    `U13 A13 U14 A14 ${rest} ${rounds}`,
    `U13 A13 U14 A14 ${rest} ${rounds} calls echo b`,
    `${rest} ${rounds} calls echo b`,
  ]);
});

test('streamed, cut twice: the same events and the same end as an answer that was never refused', async () => {
  await using app = await startTestApp();
  const input = { items: turns(3) };
  app.upstream.enqueue(refuses, refuses, says('So', ' it', ' is.'));
  const { id } = await createResponse(app, { input, ...AUTO, stream: true });
  const cut = await collect(app, { id });
  expect(asked(app)).toEqual(['U1 A1 U2 A2 U3 A3 Now?', 'U3 A3 Now?', 'Now?']);
  app.upstream.enqueue(says('So', ' it', ' is.'));
  const whole = await collect(app, { id: (await createResponse(app, { input, stream: true })).id });
  const isDelta = (type: string) => type === 'OutputTextDeltaEvent'; // how many there are is up to the clock
  const names = (events: typeof cut) =>
    events.map((each) => each.__typename).filter((type) => !isDelta(type));
  expect(names(cut)).toEqual(names(whole));
  expect(cut.at(-1)?.['response']).toMatchObject({ status: 'COMPLETED', outputText: 'So it is.' });
  expect(cut.at(-1)?.['response'].usage).toEqual(whole.at(-1)?.['response'].usage);
});
