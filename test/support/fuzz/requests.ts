import { once } from 'node:events';
import { connect } from 'node:net';
import fc, { type Arbitrary } from 'fast-check';
import { anyText } from './arbitrary-input.ts';

const QUERIES = [
  '{"query":"{ __typename }"}',
  '{"query":"mutation { createResponse(input: { input: { text: \\"Hi\\" }, stream: true }) { response { id } errors { message } } }"}',
];

const bodies: Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...QUERIES).map((body) => Buffer.from(body)) },
  fc
    .constantFrom(...QUERIES, '', '[]', '{}', 'null', '{"query":1}', '{"query":"{a"}')
    .map((body) => Buffer.from(body)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify({ query: '{ __typename }', variables: value }))),
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
  // A right one with some bytes changed, or cut off.
  fc
    .tuple(
      fc.constantFrom(...QUERIES),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
      fc.nat(200),
    )
    .map(([body, changes, length]) => {
      const bytes = Buffer.from(body);
      for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
      return length % 3 === 0 ? bytes.subarray(0, length) : bytes;
    }),
);

const latin = fc
  .string({ unit: 'binary-ascii', maxLength: 40 })
  .map((value) => value.replace(/[\r\n]/g, ' '));

const types = fc.oneof(
  { weight: 12, arbitrary: fc.constant('application/json') },
  fc.constantFrom(
    'application/json; charset=utf-8',
    'application/json;charset=utf-16',
    'APPLICATION/JSON',
    'application/graphql',
    'application/graphql+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'multipart/form-data',
    'text/plain',
    '',
    ';',
    'application/json, text/html',
  ),
  latin,
);

const others: Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(
    fc.constantFrom('accept'),
    fc.constantFrom(
      '*/*',
      'text/event-stream',
      'multipart/mixed',
      'application/graphql-response+json',
      'text/html',
      '',
      ',,;q=2',
      'x'.repeat(3000),
    ),
  ),
  fc.tuple(
    fc.constantFrom('content-encoding', 'accept-encoding', 'transfer-encoding'),
    fc.constantFrom('gzip', 'br', 'deflate', 'identity', 'chunked', 'gzip, chunked', 'x'),
  ),
  fc.constantFrom<readonly [string, string]>(
    ['expect', '100-continue'],
    ['expect', 'x'],
    ['connection', 'upgrade'],
    ['upgrade', 'websocket'],
    ['upgrade', 'h2c'],
    ['host', ''],
    ['host', 'a b'],
    ['host', '[::'],
    ['origin', 'null'],
    ['origin', 'http://['],
  ),
  fc.tuple(
    fc.constantFrom('content-length'),
    fc.constantFrom('0', '1', '5', '-1', '1e3', '99999999999999999999', '10, 10', 'x'),
  ),
  fc.tuple(
    fc.constantFrom(
      'authorization',
      'cookie',
      'referer',
      'range',
      'x-forwarded-for',
      'sec-websocket-key',
      'if-none-match',
    ),
    latin,
  ),
);

const paths = fc.oneof(
  { weight: 12, arbitrary: fc.constant('/graphql') },
  fc.constantFrom(
    '/',
    '/health',
    '/ready',
    '/nope',
    '//graphql',
    '/graphql/',
    '/graphql?',
    '/graphql?query={__typename}',
    '/graphql?query=%7B__typename%7D&variables=%7B',
    '/graphql?query=%ff%fe&extensions=%zz',
    '/graphql?%',
    '*',
    'http://[::',
    '/graphql?query=%7B__typename%7D&query=x',
    '/../graphql',
    '/%67raphql',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((query) => `/graphql?${query.replace(/\s/g, '+')}`),
  anyText.map((query) => `/graphql?query=${encodeURIComponent(query.toWellFormed())}`),
);

const methods = fc.oneof(
  { weight: 12, arbitrary: fc.constant('POST') },
  fc.constantFrom(
    'GET',
    'GET',
    'PUT',
    'DELETE',
    'OPTIONS',
    'HEAD',
    'PATCH',
    'CONNECT',
    'TRACE',
    'post',
    'NOPE',
    '',
  ),
);

/** Most requests are whole, or little of what they say would be read. */
const RIGHT = Array.from({ length: 12 }, () => 0);

/** A request as bytes: nearly right, or far from it. */
export const request: Arbitrary<Buffer> = fc
  .record({
    method: methods,
    host: fc.oneof({ weight: 9, arbitrary: fc.constant('localhost') }, fc.constant('x')), // others are turned away at the door
    path: paths,
    type: types,
    others: fc.oneof(fc.constant([]), fc.array(others, { maxLength: 3 })),
    body: bodies,
    chunks: fc.constantFrom<readonly number[] | null>(null, null, null, null, [1], [7, 3], [0]),
    length: fc.constantFrom<number | null>(...RIGHT, -3, 3, null),
    cut: fc.constantFrom(...RIGHT, 0.5, 0.9),
  })
  .map(({ method, host, path, type, others: more, body, chunks, length, cut }) => {
    const isChunked = chunks !== null;
    const size = isChunked
      ? [['transfer-encoding', 'chunked']]
      : length === null
        ? []
        : [['content-length', String(body.length + length)]];
    const headers = [['host', host], ['connection', 'close'], ['content-type', type], ...size, ...more];
    const head = `${method} ${path} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    const bytes = Buffer.concat([Buffer.from(head, 'latin1'), isChunked ? inChunks(body, chunks) : body]);
    return cut === 0 ? bytes : bytes.subarray(0, Math.ceil(bytes.length * cut));
  });

function inChunks(body: Buffer, sizes: readonly number[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < body.length && turn < 100; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    const piece = body.subarray(at, at + size);
    parts.push(Buffer.from(`${size.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
    at += size;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** Sends it and hangs up. Gives everything that was answered. */
export async function exchange(url: string, bytes: Buffer): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (piece) => {
    answer += piece.toString('latin1');
  });
  socket.on('error', () => {});
  socket.end(bytes);
  await once(socket, 'close');
  return answer;
}
