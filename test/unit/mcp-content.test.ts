import { expect, test } from 'vitest';
import { callResult, toInputParts } from '../../src/tools/mcp/content.ts';
import { ToolFailure } from '../../src/tools/tool-failure.ts';

const parts = (result: object) => toInputParts(callResult((same) => same).parse(result));
const text = (...lines: readonly string[]) => ({ type: 'input_text', text: lines.join('\n') });
const said = (words: string) => ({ type: 'text', text: words });
const PIXEL = 'R0lGODlhAQABAAAAACw=';

test.each([
  ['nothing', {}, []],
  ['an empty content', { content: [] }, []],
  ['an empty text', { content: [said('')] }, []],
  ['a content that is no list', { content: 'hello' }, []],
  ['one text', { content: [said('hello')] }, [text('hello')]],
  ['several texts', { content: [said('a'), said(''), said('b\n'), said('c')] }, [text('a', 'b\n', 'c')]],
  ['structured content alone', { structuredContent: { a: [1, null] } }, [text('{"a":[1,null]}')]],
  ['a structured content that is no object', { content: [], structuredContent: 0 }, [text('0')]],
  [
    'structured content beside a text',
    { content: [said('one')], structuredContent: { a: 1 } },
    [text('one')],
  ],
  [
    'structured content beside an image',
    { content: [{ type: 'image', mimeType: 'image/gif', data: PIXEL }], structuredContent: { a: 1 } },
    [text('{"a":1}'), { type: 'input_image', imageUrl: `data:image/gif;base64,${PIXEL}`, detail: 'auto' }],
  ],
  [
    'an image whose data is broken into lines',
    {
      content: [{ type: 'image', mimeType: 'image/gif', data: `${PIXEL.slice(0, 8)}\r\n${PIXEL.slice(8)}` }],
    },
    [{ type: 'input_image', imageUrl: `data:image/gif;base64,${PIXEL}`, detail: 'auto' }],
  ],
  [
    'an image that is none',
    { content: [{ type: 'image', mimeType: 'text/html;base64,x', data: PIXEL }] },
    [text('[text/html;base64,x, 14 bytes]')],
  ],
  [
    'an image without data',
    { content: [{ type: 'image', mimeType: 'image/png', data: '' }] },
    [text('[image/png, 0 bytes]')],
  ],
  [
    'audio',
    { content: [{ type: 'audio', mimeType: 'audio/wav', data: PIXEL }] },
    [text('[audio/wav, 14 bytes]')],
  ],
  [
    'a resource that is a text, in its place',
    {
      content: [
        said('before'),
        { type: 'resource', resource: { uri: 'a://b', mimeType: 'text/plain', text: 'Grüße' } },
        said('after'),
      ],
    },
    [text('before', '[text/plain, 7 bytes, a://b]', 'after')],
  ],
  [
    'a resource that is not, of no type',
    { content: [{ type: 'resource', resource: { uri: 'a://b', blob: PIXEL } }] },
    [text('[resource, 14 bytes, a://b]')],
  ],
  [
    'a link',
    { content: [{ type: 'resource_link', uri: 'a://b', name: 'b', mimeType: 'text/css' }] },
    [text('[b, text/css, a://b]')],
  ],
  [
    'a link that is only an address',
    { content: [{ type: 'resource_link', uri: 'a://b' }] },
    [text('[a://b]')],
  ],
  ['a type that is unknown', { content: [{ type: 'video', url: 'x' }] }, [text('[unknown content: video]')]],
  [
    'the beginning of whatever names a part',
    { content: [{ type: 'x'.repeat(99_999) }, { type: 'resource_link', uri: 'y'.repeat(99_999) }] },
    [text(`[unknown content: ${'x'.repeat(983)}]`, `[${'y'.repeat(1000)}]`)],
  ],
  ['a text without one', { content: [{ type: 'text' }] }, [text('[unknown content: text]')]],
  ['what is no content at all', { content: [null, 7] }, [text('[unknown content]', '[unknown content]')]],
])('%s', (_, result, expected) => {
  expect(parts(result)).toEqual(expected);
});

test.each([
  ['with its words', { content: [said('No such'), said('file')] }, 'No such\nfile'],
  ['with its structured content', { structuredContent: { reason: 'full' } }, '{"reason":"full"}'],
  ['without any', { content: [] }, 'The tool failed and did not say why.'],
])('a result that says it is an error is a failure, %s', (_, result, message) => {
  expect(() => parts({ ...result, isError: true })).toThrow(new ToolFailure('execution', message));
});

test('an image in an error does not stand in the message', () => {
  const image = { type: 'image', mimeType: 'image/gif', data: PIXEL };
  expect(() => parts({ content: [image, said('broken')], isError: true })).toThrow(
    new ToolFailure('execution', 'broken'),
  );
});
