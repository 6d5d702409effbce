import { describe, expect, test } from 'vitest';
import { toChatMessages } from '../../src/model/chat-messages.ts';
import type { ItemStatus } from '../../src/protocol/items.ts';
import {
  asks,
  brief,
  calls,
  callsMcp,
  carriesOut,
  decides,
  FAILURE,
  IMAGE,
  lists,
  outputs,
  SENT_IMAGE,
  says,
  searches,
  thinks,
  told,
  user,
} from '../support/conversation.ts';

test('a round’s text and calls of every kind are one assistant message, their answers follow in the order of the calls', () => {
  const request = asks('approved', 0);
  const context = [
    user('Hi'),
    lists(),
    thinks(0),
    says('Let me ', 0),
    says('look.', 0),
    calls('function', 0, { arguments: '' }),
    searches('search', 0, { calledAs: 'web_search_2' }),
    callsMcp('tool', 0),
    request,
    decides(request, true),
    outputs('function', 'sun'),
    carriesOut(request),
    says('Done.', 0),
  ];
  const made = (id: string, name: string, json: string) => ({
    id,
    type: 'function',
    function: { name, arguments: json },
  });
  expect(toChatMessages('Be brief.', context)).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: 'Let me look.',
      tool_calls: [
        made('function', 'f_function', '{}'),
        made('search', 'web_search_2', '{"query":"q"}'),
        made('tool', 'a_tool', '{"x":1}'),
        made('approved', 'a_approved', '{"x":1}'),
      ],
    },
    { role: 'tool', tool_call_id: 'function', content: 'sun' },
    { role: 'tool', tool_call_id: 'search', content: 'found by search' },
    { role: 'tool', tool_call_id: 'tool', content: 'given by tool' },
    { role: 'tool', tool_call_id: 'approved', content: 'given by approved' },
    { role: 'assistant', content: 'Done.' },
  ]);
});

test('rounds of one response stay apart, each with its answers', () => {
  const items = [
    user('Hi'),
    lists(),
    searches('s0', 0),
    callsMcp('m0', 0),
    thinks(1),
    says('And', 1),
    callsMcp('m1', 1),
    searches('s2', 2),
    calls('u3', 3, { status: 'failed' }),
    searches('s3', 3),
    outputs('u3', 'There is no tool "u3".', 3),
    says('Done.', 4),
  ];
  expect(brief(...items)).toEqual([
    'user Hi',
    'assistant null [s0 m0]',
    'tool s0: found by s0',
    'tool m0: given by m0',
    'assistant And [m1]',
    'tool m1: given by m1',
    'assistant null [s2]',
    'tool s2: found by s2',
    'assistant null [u3 s3]',
    'tool u3: There is no tool "u3".',
    'tool s3: found by s3',
    'assistant Done.',
  ]);
});

describe('what a call is answered with', () => {
  test.each([
    ['a search', searches('c', 0), 'found by c'],
    ['a search that failed', searches('c', 0, { status: 'failed', error: FAILURE }), FAILURE.message],
    ['an MCP call', callsMcp('c', 0), 'given by c'],
    ['an MCP call that failed', callsMcp('c', 0, { status: 'failed', error: FAILURE }), FAILURE.message],
    ['a failure without an error', callsMcp('c', 0, { status: 'failed' }), 'The call failed.'],
    ['an MCP call that gave nothing', callsMcp('c', 0, { content: [] }), 'The tool gave no text.'],
    [
      'an MCP call that gave empty text',
      callsMcp('c', 0, { content: [{ type: 'input_text', text: '' }] }),
      'The tool gave no text.',
    ],
    [
      'an MCP call that gave an image',
      callsMcp('c', 0, { content: [IMAGE] }),
      'The result is attached below.',
    ],
    [
      'a request for approval that failed',
      asks('c', 0, { status: 'failed', error: FAILURE }),
      FAILURE.message,
    ],
    ['a request that nobody answered', asks('c', 0), 'This call was not approved.'],
  ])('%s', (_, call, answer) => {
    expect(told(user('Hi'), call)).toBe(answer);
  });

  test('a function call with the output of its callId, also where that is empty', () => {
    expect(told(calls('c', 0), outputs('c', ''))).toBe('');
  });

  test('images and files of all calls of a round follow its tool messages, in one message of the user', () => {
    const file = { type: 'input_file', filename: 'a.pdf', fileData: 'data:,x', fileUrl: null } as const;
    const text = { type: 'input_text', text: 'See.' } as const;
    const request = asks('later', 0);
    const context = [
      callsMcp('one', 0, { content: [text, IMAGE] }),
      calls('two', 0),
      request,
      { ...outputs('two', 'x'), content: [file] },
      carriesOut(request, { content: [IMAGE] }),
      user('And?'),
    ];
    const sentFile = { type: 'file', file: { filename: 'a.pdf', file_data: 'data:,x' } };
    expect(toChatMessages(null, context).slice(1)).toEqual([
      { role: 'tool', tool_call_id: 'one', content: 'See.' },
      { role: 'tool', tool_call_id: 'two', content: '' },
      { role: 'tool', tool_call_id: 'later', content: 'The result is attached below.' },
      { role: 'user', content: [SENT_IMAGE, sentFile, SENT_IMAGE] },
      { role: 'user', content: 'And?' },
    ]);
  });

  test('what a failed call had given is not sent beside its error', () => {
    const failed = callsMcp('c', 0, { status: 'failed', error: FAILURE, content: [IMAGE] });
    expect(brief(failed)).toEqual(['assistant null [c]', `tool c: ${FAILURE.message}`]);
  });

  test('the name goes in its legal form, arguments that are empty as {}', () => {
    const call = callsMcp('c', 0, { calledAs: `get weather! ${'x'.repeat(70)}`, arguments: '' });
    expect(toChatMessages(null, [call])[0]).toMatchObject({
      tool_calls: [{ function: { name: `get_weather__${'x'.repeat(51)}`, arguments: '{}' } }],
    });
    expect(toChatMessages(null, [searches('c', 0, { calledAs: '' })])[0]).toMatchObject({
      tool_calls: [{ function: { name: 'unknown' } }],
    });
  });
});

describe('calls that are not sent', () => {
  const open: readonly ItemStatus[] = ['incomplete', 'in_progress', 'searching', 'calling'];
  test.each(
    open.flatMap((status) => [
      [status, calls('c', 0, { status })] as const,
      [status, searches('c', 0, { status })] as const,
      [status, callsMcp('c', 0, { status })] as const,
      [status, asks('c', 0, { status })] as const,
    ]),
  )('%s: %o', (_, call) => {
    expect(brief(user('Hi'), says('So', 0), call, outputs('c', 'x'), user('And?'))).toEqual([
      'user Hi',
      'assistant So',
      'user And?',
    ]);
    expect(brief(call, outputs('c', 'x'))).toEqual([]);
  });

  test('a function call without an output', () => {
    expect(brief(calls('c', 0), searches('s', 0))).toEqual(['assistant null [s]', 'tool s: found by s']);
  });
});
