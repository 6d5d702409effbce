import { describe, expect, test } from 'vitest';
import type { AllowedTool, ToolChoice } from '../../src/protocol/tools.ts';
import {
  allowing,
  FIRST,
  fn,
  LATER,
  of,
  search,
  server,
  shownBy,
  toolbox,
  USED_UP,
} from '../support/toolbox.ts';

const TOOLS = [fn('f'), search, server('a'), server('b')];
const LISTINGS = { a: ['x', 'y'], b: ['x'] };
const ALL = ['f', 'web_search', 'a_x', 'y', 'b_x'];

test.each<[string, ToolChoice, object, readonly string[]]>([
  ['none', { mode: 'none' }, { mode: 'none' }, ALL],
  ['auto', { mode: 'auto' }, { mode: 'auto' }, ALL],
  ['required', { mode: 'required' }, { mode: 'required' }, ALL],
  ['a function', { mode: 'function', name: 'f' }, { mode: 'function', name: 'f' }, ALL],
  ['web search', { mode: 'hosted', hosted: 'web_search' }, { mode: 'function', name: 'web_search' }, ALL],
  ['a tool of a server', of('b', 'x'), { mode: 'function', name: 'b_x' }, ALL],
  ['any tool of a server', of('a', null), { mode: 'required' }, ['a_x', 'y']],
])('%s holds in the first round, and what it forces in no other', (_, choice, first, shown) => {
  const box = toolbox(TOOLS, LISTINGS, choice);
  expect(box.missing).toBeNull();
  expect(box.offer(FIRST).choice).toEqual(first);
  expect(shownBy(box, FIRST)).toEqual(shown);
  expect(box.offer(LATER).choice).toEqual({ mode: choice.mode === 'none' ? 'none' : 'auto' });
  expect(shownBy(box, LATER)).toEqual(ALL);
  // Whatever the model does: with none there is nothing to call.
  for (const name of ALL) expect(box.route(name).kind === 'unknown').toBe(choice.mode === 'none');
});

test('web search is forced under the name it is shown under', () => {
  const box = toolbox([fn('web_search'), search], {}, { mode: 'hosted', hosted: 'web_search' });
  expect(box.offer(FIRST).choice).toEqual({ mode: 'function', name: 'web_search_2' });
});

test('a forced function is never a tool of a server that has its name', () => {
  const box = toolbox([server('a')], { a: ['f'] }, { mode: 'function', name: 'f' });
  expect(box.missing).toBe('toolChoice demands the function "f", which is not among the tools.');
});

test.each<[string, AllowedTool, readonly string[]]>([
  ['a function', { type: 'function', name: 'f' }, ['f']],
  ['web search', { type: 'hosted', hosted: 'web_search' }, ['web_search']],
  ['a tool of a server', { type: 'mcp', serverLabel: 'a', name: 'x' }, ['a_x']],
  ['a whole server', { type: 'mcp', serverLabel: 'a', name: null }, ['a_x', 'y']],
  ['a server by another’s tool', { type: 'mcp', serverLabel: 'b', name: 'y' }, []],
  ['a function by the name of an MCP tool', { type: 'function', name: 'y' }, []],
])('allowed_tools narrows what is shown and routed to %s, in every round', (_, allowed, names) => {
  const box = toolbox(TOOLS, LISTINGS, allowing('auto', allowed));
  expect(box.missing).toBeNull();
  for (const round of [FIRST, LATER]) {
    expect(shownBy(box, round)).toEqual(names);
    expect(box.offer(round).choice).toEqual({ mode: 'auto' });
  }
  for (const name of ALL) expect(box.route(name).kind === 'unknown').toBe(!names.includes(name));
});

test('allowed_tools that require a call do so in the first round, and narrow in all', () => {
  const allowed = [
    { type: 'function' as const, name: 'f' },
    { type: 'mcp' as const, serverLabel: 'b', name: null },
  ];
  const box = toolbox(TOOLS, LISTINGS, allowing('required', ...allowed));
  expect(box.offer(FIRST).choice).toEqual({ mode: 'required' });
  expect(box.offer(LATER).choice).toEqual({ mode: 'auto' });
  for (const round of [FIRST, LATER]) expect(shownBy(box, round)).toEqual(['f', 'b_x']);
});

test.each<[string, ToolChoice, object, readonly string[]]>([
  ['none', { mode: 'none' }, { mode: 'none' }, ['f']],
  ['auto', { mode: 'auto' }, { mode: 'auto' }, ['f']],
  ['required', { mode: 'required' }, { mode: 'required' }, ['f']],
  ['a function', { mode: 'function', name: 'f' }, { mode: 'function', name: 'f' }, ['f']],
  ['web search', { mode: 'hosted', hosted: 'web_search' }, { mode: 'auto' }, ['f']],
  ['a tool of a server', of('b', 'x'), { mode: 'auto' }, ['f']],
  ['any tool of a server', of('a', null), { mode: 'auto' }, ['f']],
  [
    'one of a server’s tools',
    allowing('required', { type: 'mcp', serverLabel: 'a', name: null }),
    { mode: 'auto' },
    [],
  ],
  ['one of some tools', allowing('required', { type: 'function', name: 'f' }), { mode: 'required' }, ['f']],
])(
  'with maxToolCalls used up only functions are shown, and %s asks for no others',
  (_, choice, given, shown) => {
    const box = toolbox(TOOLS, LISTINGS, choice);
    expect(box.missing).toBeNull();
    expect(box.offer(USED_UP).choice).toEqual(given);
    expect(shownBy(box, USED_UP)).toEqual(shown);
  },
);

test('what is not shown because maxToolCalls is used up is routed all the same', () => {
  const box = toolbox(TOOLS, LISTINGS);
  box.offer({ first: false, serverRun: false });
  expect(['web_search', 'a_x', 'y', 'b_x'].map((name) => box.route(name).kind)).toEqual([
    'web_search',
    'mcp',
    'mcp',
    'mcp',
  ]);
});

test('required with server-run tools only becomes auto once they are used up', () => {
  const box = toolbox([search], {}, { mode: 'required' });
  expect(box.offer(USED_UP)).toEqual({ tools: [], choice: { mode: 'auto' } });
});

describe('what is missing', () => {
  const none = 'toolChoice demands a tool call, but there is no tool to call.';
  const noneAllowed = 'toolChoice demands a call of one of its allowed tools, but none of them is there.';
  test.each<[string, ToolChoice, string | null]>([
    ['nothing, for none', { mode: 'none' }, null],
    ['nothing, for auto', { mode: 'auto' }, null],
    ['a tool at all', { mode: 'required' }, none],
    ['a function', { mode: 'function', name: 'g' }, 'the function "g", which is not among the tools.'],
    ['web search', { mode: 'hosted', hosted: 'web_search' }, 'web_search, which is not among the tools.'],
    [
      'a tool of a server that was not listed',
      of('down', 'x'),
      'the tool "x" of the MCP server "down", whose tools could not be listed.',
    ],
    [
      'all tools of a server that was not listed',
      of('down', null),
      'a tool of the MCP server "down", whose tools could not be listed.',
    ],
    [
      'a tool that its server does not list',
      of('empty', 'x'),
      'the tool "x" of the MCP server "empty", which has none such.',
    ],
    [
      'any tool of a server that lists none',
      of('empty', null),
      'a tool of the MCP server "empty", which has none such.',
    ],
    ['nothing, if a call is allowed only', allowing('auto', { type: 'function', name: 'g' }), null],
    [
      'every allowed tool',
      allowing('required', { type: 'mcp', serverLabel: 'down', name: null }),
      noneAllowed,
    ],
  ])('is named: %s', (_, choice, sentence) => {
    const box = toolbox([server('down'), server('empty')], { empty: [] }, choice);
    if (sentence === null) expect(box.missing).toBeNull();
    else
      expect(box.missing).toBe(
        sentence.startsWith('toolChoice') ? sentence : `toolChoice demands ${sentence}`,
      );
    const mode = choice.mode === 'none' ? 'none' : 'auto';
    expect(box.offer(FIRST)).toEqual({ tools: [], choice: { mode } });
  });

  test('is a tool that its server’s filter takes away', () => {
    const allowedTools = { toolNames: [], excludedToolNames: null, readOnly: null };
    const box = toolbox([server('a', { allowedTools }), fn('f')], { a: ['x'] }, of('a', 'x'));
    expect(box.missing).toContain('"x"');
  });
});
