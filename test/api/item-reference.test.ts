import { expect, test } from 'vitest';
import { calls, chunk, diesAfter, hangsAfter, says, streams } from '../support/chat-server.ts';
import { ask, createResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { conversation, inputOf, type ReadItem, reference, withoutIds } from '../support/references.ts';
import { outputFor, pendingItems, run, sentTo } from '../support/run.ts';
import { PAGES } from '../support/search-server.ts';
import { startSearchingApp } from '../support/searching-app.ts';
import { startTestApp } from '../support/test-app.ts';
import { answer, call, mcp, mcpAsking, typesOf } from '../support/tools.ts';
import { toldTo } from '../support/upstream-tools.ts';

const tools = [{ function: { name: 'weather' } }];
const ECHO = { echo: { run: ({ text }: { readonly [key: string]: unknown }) => `echo ${text}` } };
const FAIL = { fail: { run: () => ({ content: [{ type: 'text', text: 'Broken.' }], isError: true }) } };

const message = (text: string, role = 'USER') => ({ message: { role, content: { text } } });
const goOn = message('Go on.');

function expectFresh(copies: readonly ReadItem[], originals: readonly ReadItem[]): void {
  const ids = new Set([...copies, ...originals].map(({ id }) => id));
  expect(ids.size).toBe(copies.length + originals.length);
  const prefixes = (items: readonly ReadItem[]) => items.map(({ id }) => id.replace(/_.*/, ''));
  expect(prefixes(copies)).toEqual(prefixes(originals));
}

test('messages are copied with all their parts, in their place beside others', async () => {
  await using app = await startTestApp();
  const annotation = {
    type: 'url_citation',
    url_citation: { url: 'https://a.example/', title: 'A', start_index: 0, end_index: 2 },
  };
  app.upstream.enqueue(
    streams(
      chunk({ content: 'So.', annotations: [annotation] }),
      chunk({ refusal: 'No more.' }),
      chunk({}, 'stop'),
    ),
  );
  const parts = [{ text: 'Look' }, { image: { imageUrl: 'https://a.example/1.png', detail: 'LOW' } }];
  const given = [message('Rules.', 'DEVELOPER'), { message: { content: { parts } } }];
  const first = await run(app, { input: { items: given } });
  const [rules, question] = await inputOf(app, first.id);
  const [said] = first.output;
  expect(said.content).toMatchObject([{ annotations: [{ title: 'A' }] }, { refusal: 'No more.' }]);

  const items = [message('0'), reference(question), message('1'), reference(said), reference(rules), goOn];
  const second = await run(app, { input: { items } });
  expect(sentTo(app).messages).toEqual([
    { role: 'user', content: '0' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look' },
        { type: 'image_url', image_url: { url: 'https://a.example/1.png', detail: 'low' } },
      ],
    },
    { role: 'user', content: '1' },
    { role: 'assistant', content: 'So.', refusal: 'No more.' },
    { role: 'system', content: 'Rules.' },
    { role: 'user', content: 'Go on.' },
  ]);
  const shown = await inputOf(app, second.id);
  const copies = [shown[1], shown[3], shown[4]];
  expect(withoutIds(copies)).toEqual(withoutIds([question, said, rules]));
  expectFresh(copies, [question, said, rules]);
});

test('whatever a run gave is copied, and the model is told the same as if it were continued', async () => {
  await using app = await startSearchingApp();
  await using server = await startMcpServer({ tools: { ...ECHO, ...FAIL } });
  const offered = { tools: [mcp('server', server), { webSearch: {} }] };
  app.upstream.enqueue(
    streams(chunk({ reasoning_content: 'Hm.' }), chunk({ content: 'First.' }), chunk({}, 'stop')),
    calls(
      [call('echo', { text: 'a' }), call('fail'), call('web_search', { query: 'q' }), call('web_search')],
      'I look.',
    ),
    calls([call('ghost')], 'And then?'),
    says('Done [2].'),
  );
  const first = await run(app, { input: { text: 'Hi' } });
  const second = await run(app, { input: { text: 'Well?' }, ...offered, previousResponseId: first.id });
  await run(app, { input: { items: [goOn] }, ...offered, previousResponseId: second.id });
  const expected = conversation(app);
  expect(JSON.stringify(expected)).toContain(PAGES[1]?.snippet);

  const originals = [
    ...(await inputOf(app, first.id)),
    ...first.output,
    ...(await inputOf(app, second.id)),
    ...second.output,
  ];
  expect(typesOf(originals)).toEqual([
    ...['Message', 'Reasoning', 'Message', 'Message', 'McpListTools', 'Message'],
    ...['McpCall', 'McpCall', 'WebSearchCall', 'WebSearchCall'],
    ...['Message', 'FunctionCall', 'FunctionCallOutput', 'Message'],
  ]);
  const listed = server.requests.length;
  const third = await run(app, { input: { items: [...originals.map(reference), goOn] }, ...offered });
  expect(conversation(app)).toEqual(expected);
  expect(typesOf(third.output)).toEqual(['Message']);
  expect(server.requests).toHaveLength(listed); // the copied listing holds
  const copies = (await inputOf(app, third.id)).slice(0, -1);
  expect(withoutIds(copies)).toEqual(withoutIds(originals));
  expectFresh(copies, originals);
});

test('a function call and its output go into a new conversation under their call id', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(calls([call('weather', { city: 'Rome' }, 'one')]));
  const first = await run(app, { input: { text: 'Hi' }, tools });
  const input = { items: [outputFor('one', 'sunny')] };
  const second = await run(app, { input, previousResponseId: first.id });
  const [made] = first.output;
  const [output] = await inputOf(app, second.id);
  const whole = await run(app, { input: { items: [reference(made), reference(output), goOn] } });
  const sent = [
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'one', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'one', content: 'sunny' },
    { role: 'user', content: 'Go on.' },
  ];
  expect(sentTo(app).messages).toEqual(sent);
  expect(withoutIds(await inputOf(app, whole.id)).slice(0, 2)).toEqual(withoutIds([made, output]));
  // Either of them may be said anew.
  await run(app, { input: { items: [reference(made), outputFor('one', 'sunny'), goOn] } });
  expect(sentTo(app).messages).toEqual(sent);
  expect((await pendingItems(app, first.id)).length).toBe(0);
});

test('the sources of a copied search are numbered on from those of the history', async () => {
  await using app = await startSearchingApp();
  const offered = { tools: [{ webSearch: { searchContextSize: 'LOW' } }] };
  app.upstream.enqueue(calls([call('web_search', { query: 'q' })]), says('A1'), says('A2'), says('See [4].'));
  const { output } = await run(app, { input: { text: 'Hi' }, ...offered });
  const webSearchCall = { query: 'other', sources: [{ url: 'https://a.example/', title: 'A' }] };
  const previous = await run(app, { input: { items: [{ webSearchCall }, goOn] } });
  const items = [reference(output[0]), reference(output[0]), goOn];
  const next = await run(app, { input: { items }, previousResponseId: previous.id });
  const found = (first: number) =>
    PAGES.slice(0, 3).map(({ url, title, snippet }, at) => `[${first + at}] ${title}\n${url}\n${snippet}`);
  expect(toldTo(app)).toEqual(['[1] A\nhttps://a.example/', found(2).join('\n\n'), found(5).join('\n\n')]);
  expect(next.output[0].content[0].annotations).toMatchObject([{ url: PAGES[2]?.url }]);
});

test('an approved call is copied as a call of its own, into its own branch too', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: ECHO });
  const asking = { tools: [mcpAsking('server', server)] };
  app.upstream.enqueue(calls([call('echo', { text: 'a' }, 'one')]));
  const first = await run(app, { input: { text: 'Hi' }, ...asking });
  const request = (await pendingItems(app, first.id))[0];
  const input = { items: [answer(request.id, true)] };
  const second = await run(app, { input, ...asking, previousResponseId: first.id });
  const [made] = second.output;
  expect(made).toMatchObject({ output: 'echo a', approvalRequest: { id: request.id } });

  for (const previousResponseId of [null, second.id]) {
    const items = [reference(made), goOn];
    const next = await run(app, { input: { items }, previousResponseId });
    const told = previousResponseId === null ? ['echo a'] : ['echo a', 'echo a'];
    expect(toldTo(app)).toEqual(told);
    const [copy] = await inputOf(app, next.id);
    expect({ ...copy, id: made.id }).toEqual({ ...made, approvalRequestId: null, approvalRequest: null });
  }
  expect(server.calls).toHaveLength(1);
});

test('what a failed run had said is copied as it is', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(diesAfter('Half a', ' word'));
  const failed = await run(app, { input: { text: 'Hi' } });
  const { id } = await run(app, { input: { items: [reference(failed.output[0]), goOn] } });
  expect(sentTo(app).messages.map(({ content }) => content)).toEqual(['Half a word', 'Go on.']);
  expect((await inputOf(app, id))[0]).toMatchObject({ status: 'INCOMPLETE', text: 'Half a word' });
});

test('a reference works without storing, beside a continuation, and of one item twice', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('A1'), says('A2'));
  const first = await run(app, { input: { text: 'U1' } });
  const other = await run(app, { input: { text: 'U2' } });
  const [said] = first.output;
  const contents = () => sentTo(app).messages.map(({ content }) => content);

  const unstored = await createResponse(app, { input: { items: [reference(said), goOn] }, store: false });
  expect(unstored.status).toBe('COMPLETED');
  expect(contents()).toEqual(['A1', 'Go on.']);
  const items = [reference(said), reference(said), goOn];
  const next = await run(app, { input: { items }, previousResponseId: other.id });
  expect(contents()).toEqual(['U2', 'A2', 'A1', 'A1', 'Go on.']);
  const copies = await inputOf(app, next.id);
  expect(copies.map(({ text }: ReadItem) => text)).toEqual(['A1', 'A1', 'Go on.']);
  expect(new Set([said, ...copies].map(({ id }) => id)).size).toBe(4);
});

test('a copy stands for itself: it stays when the original goes, and can be copied again', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(says('A1'));
  const first = await run(app, { input: { text: 'U1' } });
  const second = await run(app, { input: { items: [reference(first.output[0]), goOn] } });
  await ask(app, 'mutation ($id: ID!) { deleteResponse(input: { id: $id }) { deletedId } }', {
    id: first.id,
  });
  const [copy] = await inputOf(app, second.id);
  expect(copy).toMatchObject({ text: 'A1' });
  const query = 'query ($id: ID!) { node(id: $id) { ... on Message { text response { id } } } }';
  expect(await ask(app, query, { id: copy.id })).toEqual({
    node: { text: 'A1', response: { id: second.id } },
  });
  await run(app, { input: { items: [reference(copy)] } });
  expect(sentTo(app).messages).toEqual([{ role: 'assistant', content: 'A1' }]);
});

test('the input of a response in flight can be copied', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(hangsAfter('Hm'));
  const { id } = await createResponse(app, { input: { text: 'U1' }, stream: true });
  const [question] = await inputOf(app, id);
  await run(app, { input: { items: [reference(question)] } });
  expect(sentTo(app).messages).toEqual([{ role: 'user', content: 'U1' }]);
});
