import { expect, test } from 'vitest';
import { chunk, streams } from '../support/chat-server.ts';
import { play } from '../support/play.ts';

const hello = chunk({ content: 'Hello' });
const stop = chunk({}, 'stop');
const call = (more: object) => chunk({ tool_calls: [more] });
const USED = { inputTokens: 7, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 0, totalTokens: 9 };
const USAGE = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 };

test('"stop" after tool calls still means that they were made', async () => {
  const made = call({ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } });
  expect(await play(streams(made, stop))).toMatchObject({ calls: [['a', 'f', '{}']], finish: 'stop' });
});

const f = (json?: string | null) => ({ name: 'f', arguments: json });
test.each<[string, object[], (string | null)[][]]>([
  [
    'no index, ids tell them apart',
    [call({ id: 'a', function: f('1') }), call({ id: 'b', function: f('2') })],
    [
      ['a', 'f', '1'],
      ['b', 'f', '2'],
    ],
  ],
  [
    'no index and no id, names tell them apart',
    [call({ function: f('1') }), call({ function: f('2') })],
    [
      [null, 'f', '1'],
      [null, 'f', '2'],
    ],
  ],
  [
    'no index on what continues a call',
    [call({ id: 'a', function: f('1') }), call({ function: { arguments: '2' } })],
    [['a', 'f', '12']],
  ],
  ['an empty id', [call({ index: 0, id: '', function: f('1') })], [[null, 'f', '1']]],
  [
    'an empty name and id on later deltas',
    [
      call({ index: 0, id: 'a', function: f('1') }),
      call({ index: 0, id: '', function: { name: '', arguments: '2' } }),
    ],
    [['a', 'f', '12']],
  ],
  [
    'id and name repeated',
    [call({ index: 0, id: 'a', function: f('1') }), call({ index: 0, id: 'a', function: f('2') })],
    [['a', 'f', '12']],
  ],
  [
    'id and name repeated without an index',
    [call({ id: 'a', function: f('1') }), call({ id: 'a', function: f('2') })],
    [['a', 'f', '12']],
  ],
  ['no arguments', [call({ index: 0, id: 'a', function: { name: 'f' } })], [['a', 'f', '']]],
  [
    'null arguments',
    [call({ index: 0, id: 'a', function: f(null) }), call({ index: 0, function: { arguments: '{}' } })],
    [['a', 'f', '{}']],
  ],
  [
    'arguments before the name',
    [call({ index: 0, id: 'a', function: { arguments: '1' } }), call({ index: 0, function: f('2') })],
    [['a', 'f', '12']],
  ],
  [
    'two calls in one delta',
    [
      chunk({
        tool_calls: [
          { index: 0, id: 'a', function: f('1') },
          { index: 1, id: 'b', function: f('2') },
        ],
      }),
    ],
    [
      ['a', 'f', '1'],
      ['b', 'f', '2'],
    ],
  ],
  [
    'several fragments of one index in one delta',
    [
      chunk({
        tool_calls: [
          { index: 0, id: 'a', function: f('1') },
          { index: 0, function: { arguments: '2' } },
        ],
      }),
    ],
    [['a', 'f', '12']],
  ],
  [
    'an empty trailing fragment',
    [
      call({ index: 0, id: 'a', function: f('1') }),
      call({ index: 0, function: { arguments: '' } }),
      call({ index: 0 }),
    ],
    [['a', 'f', '1']],
  ],
  [
    'the whole stream in one chunk',
    [
      chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: f('1') }] }, 'tool_calls', {
        usage: USAGE,
      }),
    ],
    [['a', 'f', '1']],
  ],
  [
    'tool_calls null',
    [chunk({ content: 'x', tool_calls: null }), call({ index: 0, id: 'a', function: f('1') })],
    [['a', 'f', '1']],
  ],
])('tool calls are understood with %s', async (_, chunks, calls) => {
  expect(await play(streams(...chunks, chunk({}, 'tool_calls')))).toMatchObject({ calls, error: null });
});

const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] };
test.each<[string, object[]]>([
  ['reasoning_content', [{ reasoning_content: 'Hm', content: null }]],
  ['reasoning', [{ reasoning: 'Hm', content: '' }]],
  [
    'reasoning_details',
    [
      {
        reasoning_details: [
          { type: 'reasoning.text', text: 'H' },
          { type: 'reasoning.summary', summary: 'm' },
        ],
      },
    ],
  ],
  [
    'several of them at once',
    [{ reasoning: 'Hm', reasoning_content: '', reasoning_details: [{ type: 'reasoning.text', text: 'Hm' }] }],
  ],
  ['array content', [{ content: [thinking] }, { content: [{ type: 'text', text: '' }] }]],
])('reasoning is found under %s', async (_, deltas) => {
  const heard = await play(streams(...deltas.map((delta) => chunk({ ...delta })), hello, stop));
  expect(heard).toMatchObject({ reasoning: 'Hm', text: 'Hello' });
});

test('reasoning that is only encrypted is kept', async () => {
  const reasoning_details = [{ type: 'reasoning.encrypted', data: 'AAAA' }];
  const heard = await play(streams(chunk({ reasoning_details }), hello, stop));
  expect(heard).toMatchObject({ reasoning: '', encrypted: ['AAAA'], text: 'Hello' });
});

test.each<[string, object[], typeof USED | null]>([
  ['in a final chunk without choices', [hello, stop, { choices: [], usage: USAGE }], USED],
  ['in the last chunk with a choice', [hello, chunk({}, 'stop', { usage: USAGE })], USED],
  [
    'on every chunk, the last counts',
    [
      chunk({ content: 'Hello' }, null, { usage: { prompt_tokens: 7 } }),
      chunk({}, 'stop', { usage: USAGE }),
      { choices: [], usage: null },
    ],
    USED,
  ],
  ['under x_groq', [hello, chunk({}, 'stop', { x_groq: { usage: USAGE } })], USED],
  ['nowhere', [hello, stop], null],
  [
    'with a total that is not the sum',
    [hello, chunk({}, 'stop', { usage: { ...USAGE, total_tokens: 50 } })],
    { ...USED, totalTokens: 50 },
  ],
  [
    'with details',
    [
      hello,
      chunk({}, 'stop', {
        usage: {
          ...USAGE,
          prompt_tokens_details: { cached_tokens: 3 },
          completion_tokens_details: { reasoning_tokens: 1 },
        },
      }),
    ],
    { ...USED, cachedInputTokens: 3, reasoningTokens: 1 },
  ],
])('usage is read: %s', async (_, chunks, usage) => {
  expect(await play(streams(...chunks))).toMatchObject({ text: 'Hello', usage, error: null });
});
