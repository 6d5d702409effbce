import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkReader } from '../../src/model/chat-chunks.ts';
import type { ModelPart } from '../../src/model/model-client.ts';

/** What a reader makes of a stream of chunks, and how many of them it did not parse. */
function readAll(chunks: readonly string[], { repeats }: { readonly repeats: boolean }) {
  const reader = new ChunkReader({ wantsLogprobs: false });
  let repeated = 0;
  const parts = chunks.flatMap((json): readonly ModelPart[] => {
    const part = repeats ? reader.readRepeated(json) : null;
    if (part === null) return reader.readChunk(JSON.parse(json), json);
    repeated++;
    return [part];
  });
  return { parts: [...parts, ...reader.end()], failure: reader.failure, repeated };
}

/** The parts, and how many chunks were not parsed; fails if parsing all of them gives others. */
function read(chunks: readonly string[]) {
  const { repeated, ...all } = readAll(chunks, { repeats: true });
  const { repeated: _, ...parsed } = readAll(chunks, { repeats: false });
  expect(all).toEqual(parsed);
  return { repeated, parts: all.parts };
}

const chunk = (delta: object, more: object = {}) =>
  JSON.stringify({
    id: 'chatcmpl-1',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
    usage: null,
    ...more,
  });

test('chunks that differ in nothing but their text are not parsed again', () => {
  const texts = ['One', ' two', ' ', ' "three"', '\n', ' four', ' fünf 🎉', '{'];
  const { repeated, parts } = read(texts.map((content) => chunk({ content })));
  expect(parts.map((part) => ('text' in part ? part.text : ''))).toEqual([...texts, '']);
  expect(repeated).toBe(5); // neither the first one nor what is escaped
});

test('so it is with spaces, with reasoning, and with what else a chunk says each time', () => {
  const spaced = ['a', 'b', 'c'].map((text) => `{ "choices" : [ {"delta": {"content": "${text}"} } ] }`);
  expect(read(spaced).repeated).toBe(2);
  const thoughts = ['a', 'b', 'c'].map((text) => chunk({ content: '', reasoning_content: text }));
  expect(read(thoughts).repeated).toBe(2);
  const counted = ['a', 'b'].map((content) => chunk({ content }, { usage: { prompt_tokens: 3 } }));
  expect(read(counted).repeated).toBe(1);
  const changing = ['a', 'b'].map((content, created) => chunk({ content }, { created }));
  expect(read(changing).repeated).toBe(0);
});

test('a text that stands in two places, or under a key that may be another, is parsed each time', () => {
  const texts = ['a', 'b', 'c'];
  const twice = texts.map((text) =>
    chunk({ reasoning: text, reasoning_details: [{ type: 'reasoning.text', text }] }),
  );
  expect(read(twice).repeated).toBe(0);
  const elsewhere = texts.map((text) => `{"content":"a","choices":[{"delta":{"cont\\u0065nt":"${text}"}}]}`);
  expect(read(['{"content":"a","choices":[{"delta":{"content":"a"}}]}', ...elsewhere]).repeated).toBe(0);
  const nested = texts.map((text) => `{"choices":[{"delta":{"content":"a","content":"${text}"}}]}`);
  expect(read(nested).repeated).toBe(0);
});

test('what only looks like the text, elsewhere in the chunk, is not taken for it', () => {
  const escaped = ['a', 'z'].map(
    (other) => `{"content":"${other}","choices":[{"delta":{"cont\\u0065nt":"a"}}]}`,
  );
  expect(read(escaped).repeated).toBe(0);
  const plain = ['a', 'z'].map((other) => `{"content":"${other}","choices":[{"delta":{"content":"a"}}]}`);
  expect(read(plain).repeated).toBe(0);
});

test('what adds to a call is parsed each time, though the text beside it is all that is new', () => {
  const calls = [{ index: 0, id: 'call_1', function: { name: 'add', arguments: '1' } }];
  const { repeated, parts } = read(['a', 'b', 'c'].map((content) => chunk({ content, tool_calls: calls })));
  expect(repeated).toBe(0);
  expect(parts.filter(({ type }) => type === 'arguments')).not.toEqual([]);
});

test('a server that never repeats itself costs no more after a while', () => {
  const salted = Array.from({ length: 40 }, (_, salt) => chunk({ content: 'x' }, { salt }));
  expect(read([...salted, ...['a', 'b', 'c'].map((content) => chunk({ content }))]).repeated).toBe(0);
});

test('whatever chunks are like, they say what parsing them says', () => {
  const text = fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('a', 'b', '"', '\\', '\u0007', ''));
  const value = fc.oneof(
    text,
    fc.constant(null),
    fc.constant([]),
    fc.integer(),
    fc.record({ content: text }),
  );
  const delta = fc.record(
    {
      content: value,
      reasoning: value,
      reasoning_content: value,
      refusal: value,
      reasoning_details: fc.array(fc.record({ type: fc.constant('reasoning.encrypted'), data: text })),
      tool_calls: fc.oneof(fc.constant([]), fc.constant([{ index: 0, function: { arguments: 'x' } }])),
    },
    { requiredKeys: [] },
  );
  const skeleton = fc.record(
    { content: value, salt: value, error: fc.constantFrom(null, 'broken'), usage: fc.constant(null) },
    { requiredKeys: [] },
  );
  const stream = fc.tuple(skeleton, delta, fc.constantFrom('content', 'reasoning'), fc.array(text));
  const play = (streams: readonly (readonly [object, object, string, readonly string[]])[]) =>
    read(
      streams.flatMap(([more, parts, key, texts]) =>
        texts.map((each) =>
          JSON.stringify({ ...more, choices: [{ index: 0, delta: { ...parts, [key]: each } }] }),
        ),
      ),
    );
  fc.assert(fc.property(fc.array(stream, { maxLength: 4 }), (streams) => void play(streams)));
});
