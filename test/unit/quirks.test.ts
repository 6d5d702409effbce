import { describe, expect, test } from 'vitest';
import { SseReader } from '../../src/model/sse-reader.ts';
import { chunk, DONE, json, sends, sse, streams } from '../support/chat-server.ts';
import { play } from '../support/play.ts';

const hello = chunk({ content: 'Hello' });
const stop = chunk({}, 'stop');
const USAGE = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 };

describe('framing', () => {
  const plain = sse(hello, stop) + DONE;
  test.each([
    ['CRLF ends the lines', plain.replaceAll('\n', '\r\n')],
    ['no space follows the colon', plain.replaceAll('data: ', 'data:')],
    ['[DONE] never comes', sse(hello, stop)],
    ['the last line has no end', sse(hello) + sse(stop).trimEnd()],
    [
      'comments come first, in between and last',
      `: hi\n\n${sse(hello)}: still here\n${sse(stop)}:\n\n${DONE}`,
    ],
    ['blank lines are doubled', plain.replaceAll('\n\n', '\n\n\n\n')],
    ['no blank line ends a record', plain.replaceAll('\n\n', '\n')],
    ['other fields stand beside the data', `id: 1\nretry: 5\nevent: message\n${plain}`],
    ['a byte order mark comes first', `\ufeff${plain}`],
    ['something follows [DONE]', `${plain}data: not json\n\n`],
  ])('it is understood when %s', async (_, body) => {
    expect(await play(sends(body))).toMatchObject({ text: 'Hello', finish: 'stop', error: null });
  });

  test('CRLF may be torn apart between two reads', async () => {
    const bytes = plain.replaceAll('\n', '\r\n').split(/(?<=\r)/);
    expect(await play(sends(bytes))).toMatchObject({ text: 'Hello', finish: 'stop' });
  });
});

describe('errors in a stream', () => {
  const record = (data: object) => `event: error\ndata: ${JSON.stringify(data)}\n\n`;
  test.each([
    ['a record named error', record({ message: 'Too fast', code: 429 }), 'rate_limit_exceeded'],
    [
      'one that holds it under error',
      record({ error: { message: 'Too fast', code: 429 } }),
      'rate_limit_exceeded',
    ],
    ['one with a code in words', record({ error: { message: 'Too fast' } }), 'server_error'],
    [
      'an error beside choices',
      sse({ ...hello, error: { message: 'Too fast', code: 400 } }),
      'invalid_prompt',
    ],
    ['an error after the finish', sse(stop, { error: { message: 'Too fast', code: '502' } }), 'server_error'],
    ['an error that is a string', sse({ error: 'Too fast' }), 'server_error'],
  ])('%s fails the call, after what came before it', async (_, body, code) => {
    const heard = await play(sends(sse(chunk({ content: 'Well, ' })) + body + DONE));
    expect(heard.text).toContain('Well, ');
    expect(heard).toMatchObject({ finish: null, error: { code, message: 'Too fast' } });
  });
});

test.each([
  ['none is ever sent', [hello], 'stop'],
  ['it is "eos"', [hello, chunk({}, 'eos')], 'stop'],
  ['it is "eos_token"', [hello, chunk({}, 'eos_token')], 'stop'],
  ['it is sent twice', [hello, stop, stop], 'stop'],
  ['a later null follows it', [hello, chunk({}, 'length'), chunk({ content: '' })], 'length'],
  ['the key is absent elsewhere', [{ choices: [{ delta: { content: 'Hello' } }] }, stop], 'stop'],
])('a finish reason is read when %s', async (_, chunks, finish) => {
  expect(await play(streams(...chunks))).toMatchObject({ text: 'Hello', finish, error: null });
});

test('"length" with nothing visible is no failure', async () => {
  const heard = await play(streams(chunk({ content: '' }), chunk({}, 'length')));
  expect(heard).toMatchObject({ text: '', finish: 'length', error: null });
});

test('a stream with neither content nor a finish reason is a failure', async () => {
  expect(await play(streams(chunk({ role: 'assistant' })))).toMatchObject({
    error: { code: 'server_error' },
  });
});

test.each<[string, object[]]>([
  ['choices are empty first', [{ choices: [], prompt_filter_results: [{ prompt_index: 0 }] }, hello, stop]],
  ['choices are empty last', [hello, stop, { choices: [], usage: USAGE }]],
  ['choices are absent', [{ object: 'ping' }, hello, stop]],
  [
    'a choice has no delta',
    [{ choices: [{ index: 0 }] }, { choices: [{ index: 0, delta: null }] }, hello, stop],
  ],
  ['chunks follow the finish', [chunk({ content: 'Hel' }), stop, chunk({ content: 'lo' })]],
  [
    'id and object are absent',
    [{ choices: [{ delta: { content: 'Hello' } }] }, { choices: [{ finish_reason: 'stop' }] }],
  ],
  [
    'the id changes',
    [{ ...chunk({ content: 'Hel' }), id: 'x' }, { ...chunk({ content: 'lo' }), id: 'y' }, stop],
  ],
  [
    'there is more than one choice',
    [
      {
        choices: [
          { index: 1, delta: { content: 'No' }, finish_reason: 'length' },
          { index: 0, delta: { content: 'Hello' } },
        ],
      },
      stop,
    ],
  ],
])('chunks are understood when %s', async (_, chunks) => {
  expect(await play(streams(...chunks))).toMatchObject({ text: 'Hello', finish: 'stop', error: null });
});

const error = { message: 'Bad thing', type: 'x' };
test.each<[string, unknown, string?]>([
  ['an object', { error }],
  ['a string', { error: 'Bad thing' }],
  ['an object in an object', { error: { error } }],
  ['a top-level message', { object: 'error', message: 'Bad thing', code: 400 }],
  ['a detail', { detail: 'Bad thing' }],
  ['plain text', 'Bad thing', 'text/plain'],
  ['JSON under another type', JSON.stringify({ error }), 'application/octet-stream'],
  ['a numeric code', { error: { ...error, code: 400 } }],
])('the words of an error body are found: %s', async (_, body, type = 'application/json') => {
  const answer = typeof body === 'string' ? sends(body, { status: 400, type }) : json(400, body);
  expect((await play(answer)).error).toMatchObject({ code: 'invalid_prompt', message: 'Bad thing' });
});

test('a detail that is an array is shown as JSON', async () => {
  const detail = [{ loc: ['body', 'model'], msg: 'Bad thing' }];
  expect((await play(json(422, { detail }))).error?.message).toBe(JSON.stringify(detail));
});

describe('text that is more than one byte a character', () => {
  const words = ['¡é', '日本語', 'مرحبا', '❤', '\ufe0f', '👩‍👩‍👧', '𝒳'];
  const body = new TextEncoder().encode(sse(...words.map((content) => chunk({ content })), stop));

  test('every character survives a cut at every byte', async () => {
    for (let at = 0; at <= body.length; at++) {
      const reads = [body.subarray(0, at), body.subarray(at)];
      let text = '';
      const reader = new SseReader();
      for (const records of [...reads.map((bytes) => reader.push(bytes)), reader.end()])
        for (const { data } of records) text += JSON.parse(data).choices[0].delta.content ?? '';
      expect(text).toBe(words.join(''));
    }
  });

  test('each byte may come in a read of its own', async () => {
    const bytes = Array.from(body, (byte) => Uint8Array.of(byte));
    expect((await play(sends(bytes))).text).toBe(words.join(''));
  });
});
