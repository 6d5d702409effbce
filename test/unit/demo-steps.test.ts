import OpenAI from 'openai';
import type {
  ChatCompletionContentPart,
  ChatCompletionCreateParams,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DemoModel, startDemoModel } from '../../src/demo/demo-model.ts';

const WHAT_I_AM = 'I am the demo model: I repeat what I am told, and am no language model.';
const NO_SEARCH = 'I was not offered a web search. To offer one: tools: [{ webSearch: {} }].';

let model: DemoModel;
let client: OpenAI;
beforeAll(async () => {
  model = await startDemoModel({ wordDelayMs: 0 });
  client = new OpenAI({ baseURL: model.baseUrl, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => model.close());

type Message = ChatCompletionMessageParam;
type Extra = Partial<Omit<ChatCompletionCreateParams, 'stream' | 'messages'>>;

interface Played {
  /** What was said and called, a line for each round. */
  readonly rounds: readonly string[];
  readonly messages: readonly Message[];
}

const user = (content: string | ChatCompletionContentPart[]): Message => ({ role: 'user', content });
const tool = (name: string) => ({ type: 'function' as const, function: { name, parameters: {} } });
const tools = ['a', 'b', 'c', 'web_search'].map(tool);

const image: Message = user([{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }]);
const answerOf = (name: string, round: number) => `${name}${round}`;

/** The next message, whole and streamed, which must be the same but for the ids of its calls. */
async function next(messages: readonly Message[], extra: Extra) {
  const body = { model: 'demo', messages: [...messages], tools, ...extra };
  const whole = await client.chat.completions.create({ ...body, stream: false });
  const streamed = await client.chat.completions.stream({ ...body, stream: true }).finalMessage();
  const message = whole.choices[0]?.message;
  if (message === undefined) throw new Error('There was no answer.');
  const calls = (message.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [call] : []));
  expect(streamed.content).toBe(message.content);
  expect((streamed.tool_calls ?? []).map((call) => call.type === 'function' && call.function)).toEqual(
    calls.map((call) => call.function),
  );
  return { message, calls };
}

/** A whole run: every call is answered, until the model answers with a text. No test needs more than nine rounds. */
async function play(before: readonly Message[], extra: Extra = {}, between: readonly Message[] = []) {
  const rounds: string[] = [];
  let messages = before;
  while (rounds.length < 9) {
    const { message, calls } = await next(messages, extra);
    if (calls.length === 0) return { rounds: [...rounds, message.content ?? ''], messages } satisfies Played;
    rounds.push(calls.map((call) => `${call.function.name} ${call.function.arguments}`).join(' & '));
    const outputs = calls.map(
      ({ id, function: { name } }): Message => ({
        role: 'tool',
        tool_call_id: id,
        content: answerOf(name, rounds.length),
      }),
    );
    messages = [...messages, message, ...outputs, ...between];
  }
  throw new Error(`It goes on calling: ${rounds.join('; ')}`);
}

const roundsOf = async (said: string, extra?: Extra) => (await play([user(said)], extra)).rounds;

/** What it says to one output of web_search. */
async function afterSearch(output: string): Promise<string | null> {
  const asked = [user('search the web for owls')];
  const { message, calls } = await next(asked, {});
  const content = { role: 'tool' as const, tool_call_id: calls[0]?.id ?? '', content: output };
  return (await next([...asked, message, content], {})).message.content;
}

test('"then" begins a round that waits for the outputs of the former', async () => {
  expect(await roundsOf('call a with {"then call b": {}} and call b, then call c with {"x":1}')).toEqual([
    'a {"then call b": {}} & b {}',
    'c {"x":1}',
    'c answered: c2',
  ]);
  expect(await roundsOf('First call c, and then please call b.\nThen call a and call a')).toEqual([
    'c {}',
    'b {}',
    'a {} & a {}',
    'a answered: a3\na answered: a3',
  ]);
  expect(await roundsOf('Well then, call a and call b')).toEqual([
    'a {} & b {}',
    'a answered: a1\nb answered: b1',
  ]);
});

test('the steps of a message begin anew with each message, and end with it', async () => {
  const said = 'call a, then call b';
  const first = await play([
    user('call c, then call c'),
    { role: 'assistant', content: 'Done.' },
    user(said),
  ]);
  expect(first.rounds).toEqual(['a {}', 'b {}', 'b answered: b2']);
  const again = await play([...first.messages, { role: 'assistant', content: 'b2' }, user(said)]);
  expect(again.rounds).toEqual(first.rounds);
  const thanks = await play([...first.messages, user('Thanks')]);
  expect(thanks.rounds).toEqual([`You said: "Thanks". ${WHAT_I_AM}`]);
});

test('images that came with an output are no new message', async () => {
  expect((await play([user('call a, then call b')], {}, [image])).rounds).toEqual([
    'a {}',
    'b {}',
    'b answered: b2\nThis came with 1 image.',
  ]);
});

test('a step that cannot be made is explained before the first, or once it has become so', async () => {
  expect(await roundsOf('call a, then call nope with {}')).toEqual([
    'I was not offered a function called nope. I was offered: a, b, c, web_search.',
  ]);
  expect(await roundsOf('call a, then call b with {')).toEqual([
    'I cannot call b: what follows "with" is not a JSON object.',
  ]);
  const { messages } = await play([user('call a')]);
  const renamed = [user('call a with {}, then call b'), ...messages.slice(1)];
  expect((await play(renamed, { tools: [] })).rounds).toEqual([
    'a answered: a1\nI was not offered a function called b. I was offered no functions.',
  ]);
});

test('one call a round is all there is where parallel calls are forbidden', async () => {
  expect(await roundsOf('call a and call b, then call c', { parallel_tool_calls: false })).toEqual([
    'a {}',
    'c {}',
    'c answered: c2',
  ]);
});

test.each([
  ['Search the web for barn owls.', 'barn owls'],
  ['Please search the web for "barn owls"', 'barn owls'],
  ['search the web for “Ada’s owls”, please', 'Ada’s owls'],
  ["search the web for 'owls'?", 'owls'],
  ['search the web for Node 24.1 and TypeScript! It is urgent.', 'Node 24.1 and TypeScript'],
  ['search the web for "a" or "b"', '"a" or "b"'],
  ['search the web for who said \\ "call a" first\ncall me later', 'who said \\ "call a" first'],
  ['call web_search with {"query":"owls"}', 'owls'],
])('%j searches the web', async (said, query) => {
  const [round] = await roundsOf(said);
  expect(round).toBe(`web_search ${JSON.stringify({ query })}`);
});

test('searches and calls are made in one round, or in several with "then"', async () => {
  const search = (query: string) => `web_search ${JSON.stringify({ query })}`;
  const said =
    'search the web for owls and call a with {}, then search the web for "cats" and search the web for dogs';
  expect(await roundsOf(said)).toEqual([
    `${search('owls')} & a {}`,
    `${search('cats')} & ${search('dogs')}`,
    'web_search answered: web_search2\nweb_search answered: web_search2',
  ]);
  expect(await roundsOf('search the web for owls, then call b')).toEqual([
    search('owls'),
    'b {}',
    'b answered: b2',
  ]);
});

test('a web search that is not offered is explained', async () => {
  expect(await roundsOf('search the web for owls', { tools: [tool('a')] })).toEqual([NO_SEARCH]);
  expect(await roundsOf('call a, then search the web for owls', { tools: [tool('a')] })).toEqual([NO_SEARCH]);
  expect(await roundsOf('search the web for .')).toEqual([`You said: "search the web for .". ${WHAT_I_AM}`]);
});

test('what a web search found is answered with titles and the numbers that cite them', async () => {
  const found = [
    '[1] Barn owl - an [encyclopedia]\nhttps://example.com/owl\nA pale owl, see\n[7] which is no result\nhttps://example.com/7',
    '[2] \nhttps://example.com/untitled\n',
    '[10] Owls\nhttp://example.com/10',
  ].join('\n\n');
  expect(await afterSearch(found)).toBe(
    'web_search found:\nBarn owl - an [encyclopedia] [1]\nhttps://example.com/untitled [2]\nOwls [10]',
  );
});

test('an output of web_search in another shape is quoted', async () => {
  for (const output of ['', 'Nothing was found.', '[1] Owls', '[{"title":"Owls"}]']) {
    expect(await afterSearch(output)).toBe(`web_search answered: ${output}`);
  }
});

test('a search for a very long run of dots or spaces takes no time', { timeout: 5_000 }, async () => {
  const run = 30_000;
  const [stopped] = await roundsOf(`search the web for owls${'.'.repeat(run)}${' '.repeat(run)}x`);
  expect(stopped).toBe('web_search {"query":"owls"}');
  const [whole] = await roundsOf(`search the web for owls${' '.repeat(run)}x`);
  expect(whole?.length).toBeGreaterThan(run);
});
