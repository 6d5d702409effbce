import { expect, test } from 'vitest';
import { branchOf } from '../support/branches.ts';
import { calls, says } from '../support/chat-server.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { outputFor, pendingItems, run, sentTo } from '../support/run.ts';
import { startSearchingApp } from '../support/searching-app.ts';
import { startTestApp } from '../support/test-app.ts';
import { answer, call, mcp, mcpAsking } from '../support/tools.ts';
import { AUTO, asked, assistant, message, refuses, tooLong, user } from '../support/truncation.ts';
import { toldTo } from '../support/upstream-tools.ts';

const tools = [{ function: { name: 'weather' } }];
const ECHO = { echo: { run: ({ text }: { readonly [key: string]: unknown }) => `echo ${text}` } };
const functionCall = (callId: string) => ({ functionCall: { callId, name: 'weather', arguments: '{}' } });

test('instructions and the messages of system and developer stay, in their order', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(refuses, refuses);
  const items = [
    message('SYSTEM', 'S1'),
    user('U1'),
    message('DEVELOPER', 'D1'),
    assistant('A1'),
    user('U2'),
    message('SYSTEM', 'S2'),
    user('U3'),
  ];
  await run(app, { input: { items }, instructions: 'Be brief.', ...AUTO });
  expect(asked(app)).toEqual([
    'Be brief. S1 U1 D1 A1 U2 S2 U3',
    'Be brief. S1 D1 U2 S2 U3',
    'Be brief. S1 D1 S2 U3',
  ]);
  expect(sentTo(app).messages.map(({ role }) => role)).toEqual([...Array(4).fill('system'), 'user']);
});

test('the last turn stays whole, and so do the rules given in it', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(refuses, refuses);
  const items = [
    user('U1'),
    assistant('A1'),
    user('U2'),
    assistant('A2'),
    functionCall('a'),
    outputFor('a', 'sunny'),
    message('SYSTEM', 'S'),
    assistant('A3'),
  ];
  expect(await run(app, { input: { items }, ...AUTO })).toMatchObject(tooLong());
  const kept = 'U2 A2 sunny S A3';
  expect(asked(app)).toEqual([`U1 A1 ${kept}`, kept]);
});

test('what was said before the first user message is the oldest turn', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(refuses, refuses);
  const items = [message('SYSTEM', 'S'), assistant('A0'), user('U1'), assistant('A1'), user('U2')];
  await run(app, { input: { items }, ...AUTO });
  expect(asked(app)).toEqual(['S A0 U1 A1 U2', 'S U1 A1 U2', 'S U2']);
});

test('calls go with their results: functions, MCP tools and searches', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: ECHO });
  const both = { tools: [mcp('server', server), ...tools] };
  app.upstream.enqueue(
    calls([call('echo', { text: 'a' })], 'I ask.'),
    calls([call('weather', {}, 'w'), call('echo', { text: 'b' })], 'I ask again.'),
    says('A1'),
    says('A2'),
  );
  const first = await run(app, { input: { text: 'U1' }, ...both });
  const input = { items: [outputFor('w', 'sunny')] };
  const second = await run(app, { input, ...both, previousResponseId: first.id });
  const third = await run(app, { input: { text: 'U2' }, ...both, previousResponseId: second.id });
  app.upstream.enqueue(refuses, refuses, says('A4'));
  const search = { webSearchCall: { query: 'q', sources: [{ url: 'https://a.example/', title: 'Page' }] } };
  const items = [user('U3'), search, assistant('A3'), user('U4')];
  const last = await run(app, { input: { items }, ...both, previousResponseId: third.id, ...AUTO });
  const found = '[1] Page\nhttps://a.example/';
  expect(asked(app).slice(-3)).toEqual([
    `U1 I ask. echo a I ask again. sunny echo b A1 U2 A2 U3 calls ${found} A3 U4`,
    `U3 calls ${found} A3 U4`,
    'U4',
  ]);
  expect(last.output).toMatchObject([{ __typename: 'Message', text: 'A4' }]); // the listing still holds
});

test('turns that a call and its later answer tie together go together', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(refuses);
  const tied = [user('U1'), functionCall('a'), user('U2'), outputFor('a', 'sunny'), assistant('A2')];
  await run(app, { input: { items: [...tied, user('U3')] }, ...AUTO });
  expect(asked(app)).toEqual(['U1 calls sunny U2 A2 U3', 'U3']);
});

test('a turn whose call is answered in the last one stays with it', async () => {
  await using app = await startTestApp();
  app.upstream.enqueue(refuses);
  const items = [user('U0'), user('U1'), functionCall('a'), user('U2'), outputFor('a', 'sunny')];
  await run(app, { input: { items }, ...AUTO });
  expect(asked(app)).toEqual(['U0 U1 calls sunny U2', 'U1 calls sunny U2']);
});

test('the call that an approval has just set going is told, however old the turn that asked for it', async () => {
  await using app = await startTestApp();
  await using server = await startMcpServer({ tools: ECHO });
  const asking = { tools: [mcpAsking('server', server)] };
  const [root] = await branchOf(app, 1);
  app.upstream.enqueue(calls([call('echo', { text: 'a' })]), says('Never mind.'), refuses, refuses);
  const first = await run(app, { input: { text: 'U2' }, ...asking, previousResponseId: root });
  const second = await run(app, { input: { text: 'U3' }, ...asking, previousResponseId: first.id });
  const approval = answer((await pendingItems(app, first.id))[0].id, true);
  const input = { items: [user('U4'), approval] };
  const last = await run(app, { input, ...asking, previousResponseId: second.id, ...AUTO });
  expect(last).toMatchObject(tooLong());
  const tied = 'U2 calls echo a U3 Never mind. U4';
  expect(asked(app).slice(-2)).toEqual([`U1 ok ${tied}`, tied]);
});

test('a cut leaves the numbers of sources as they are: what was cited before is cited again', async () => {
  await using app = await startSearchingApp();
  app.upstream.enqueue(refuses, calls([call('web_search', { query: 'new' })]), says('See [1] and [3].'));
  const sources = [{ url: 'https://a.example/' }, { url: 'https://b.example/' }];
  const items = [user('U1'), { webSearchCall: { query: 'old', sources } }, user('U2')];
  const { output } = await run(app, { input: { items }, tools: [{ webSearch: {} }], ...AUTO });
  expect(toldTo(app)).toEqual([expect.stringMatching(/^\[3\] /)]);
  expect(output.at(-1).content[0].annotations).toMatchObject([
    { url: 'https://a.example/' },
    { url: output[0].sources[0].url },
  ]);
});

test('whatever the conversation, each request is its rules and its last turns, whole', async () => {
  await using app = await startTestApp();
  for (let seed = 1; seed <= 12; seed++) {
    const { items, count } = invent(seed);
    const starts = [1];
    for (let start = 1; start < count && starts.length < 4; starts.push(start))
      start += Math.ceil((count - start) / 2);
    app.upstream.enqueue(...starts.slice(1).map(() => refuses));
    const response = await run(app, { input: { items }, ...AUTO });
    expect(response.status).toBe('COMPLETED');
    toldTo(app);
    const sent = app.upstream.exchanges.slice(-starts.length).map(({ body }) => body.messages);
    const left = starts.map((start) =>
      sent[0]?.filter((each) => each.role === 'system' || turnOf(each) >= start),
    );
    expect(sent, `seed ${seed}`).toEqual(left);
  }
});

/** A conversation of 2 to 13 turns, in each of which everything names its number. */
function invent(seed: number) {
  let state = seed;
  const below = (limit: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
  let callCount = 0;
  const kinds: readonly ((mark: string) => readonly object[])[] = [
    (mark) => [assistant(mark)],
    (mark) => [message(below(2) === 0 ? 'SYSTEM' : 'DEVELOPER', mark)],
    (mark) => [{ reasoning: { content: [mark] } }],
    (mark) => [{ mcpListTools: { serverLabel: 'a', tools: [{ name: mark, inputSchema: {} }] } }],
    (mark) => [{ mcpCall: { serverLabel: 'a', name: 'b', arguments: `{"${mark}":1}`, output: mark } }],
    (mark) => [{ webSearchCall: { query: mark, sources: [{ url: 'https://a.example/', title: mark }] } }],
    (mark) => {
      const ids = Array.from({ length: 1 + below(3) }, () => `call ${callCount++}`);
      const made = ids.map((callId) => ({ functionCall: { callId, name: 'f', arguments: `{"${mark}":1}` } }));
      return [...made, ...ids.map((callId) => outputFor(callId, mark))];
    },
  ];
  const count = 2 + below(12);
  const items = Array.from({ length: count }, (_, at) => {
    const mark = `#${at + 1}#`;
    const rest = Array.from({ length: below(6) }, () => kinds[below(kinds.length)]?.(mark) ?? []);
    return [user(mark), ...rest.flat()];
  });
  return { items: items.flat(), count };
}

function turnOf(sent: object): number {
  return Number(/#(\d+)#/.exec(JSON.stringify(sent))?.[1]);
}
