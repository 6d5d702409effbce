import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc, { type Arbitrary } from 'fast-check';
import { anyText } from './arbitrary-input.ts';

/** Pieces of a conversation over one WebSocket, as bytes: each is written by itself. */
export type Conversation = readonly Uint8Array[];

interface Frame {
  readonly opcode: number;
  readonly fin?: boolean;
  readonly reserved?: number;
  /** False: unmasked, which no client may send. */
  readonly masked?: boolean;
  /** What it says its length is, in place of the right one. */
  readonly claims?: bigint;
  readonly payload: Uint8Array;
}

/** https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
export function toFrame({
  opcode,
  fin = true,
  reserved = 0,
  masked = true,
  claims,
  payload,
}: Frame): Uint8Array {
  const length = claims ?? BigInt(payload.length);
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode];
  const mark = masked ? 0x80 : 0;
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(length);
  if (length < 126n) head.push(mark | Number(length));
  else if (length < 65_536n) head.push(mark | 126, ...size.subarray(6));
  else head.push(mark | 127, ...size);
  const mask = [1, 2, 3, 4];
  const body = masked ? payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0)) : payload;
  return Buffer.from([...head, ...(masked ? mask : []), ...body]);
}

const text = (words: string) => toFrame({ opcode: 1, payload: Buffer.from(words) });

const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .constantFrom('', '{', '{"type":"ping"}', '\ud800', '"\xff')
    .map((words) => new Uint8Array(Buffer.from(words, 'latin1'))),
);

const brokenFrame: Arbitrary<Uint8Array> = fc
  .record(
    {
      opcode: fc.integer({ min: 0, max: 15 }),
      fin: fc.boolean(),
      reserved: fc.constantFrom(0, 0, 0, 1, 4, 7),
      masked: fc.constantFrom(true, true, true, false),
      claims: fc.constantFrom(
        0n,
        1n,
        126n,
        65_535n,
        65_536n,
        2n ** 31n,
        2n ** 53n,
        2n ** 63n - 1n,
        2n ** 64n - 1n,
      ),
      payload: payloads,
    },
    { requiredKeys: ['opcode', 'payload'] },
  )
  .map(toFrame);

/** A close with any code and reason. */
const close: Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(0, 999, 1000, 1005, 1006, 1015, 2999, 4400, 4999, 65_535),
    fc.uint8Array({ maxLength: 130 }),
  )
  .map(([code, reason]) => toFrame({ opcode: 8, payload: Buffer.from([code >> 8, code & 255, ...reason]) }));

/** One message in pieces, with control frames between them. */
const fragments: Arbitrary<Uint8Array> = fc
  .array(fc.oneof(payloads, fc.constant(new Uint8Array())), { minLength: 2, maxLength: 5 })
  .map((pieces) =>
    Buffer.concat(
      pieces.flatMap((payload, at) => [
        toFrame({ opcode: at === 0 ? 1 : 0, fin: at === pieces.length - 1, payload }),
        toFrame({ opcode: 9, payload: Buffer.from('x') }),
      ]),
    ),
  );

const ids = fc.oneof(
  fc.constantFrom<unknown>('1', '1', '2', '', '__proto__', 'constructor', null, 1, {}, []),
  anyText,
  fc.constant('x'.repeat(5000)),
);

const queries = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '{ __typename }',
      'subscription { responseStream(id: "resp_0") { __typename } }',
      '{ models { name } }',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      '',
      '{',
      'mutation { nope }',
      '{'.repeat(5000),
      'query A { __typename } query B { __typename }',
      null,
      5,
      {},
      [],
    ),
  },
  { weight: 1, arbitrary: anyText },
);

const odd = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant(undefined));

const payload = fc.record(
  { query: queries, variables: odd, operationName: fc.oneof(fc.constant('A'), odd), extensions: odd },
  { requiredKeys: [] },
);

/** Messages of the protocol, of the right shape or nearly, in any order. */
const message: Arbitrary<Uint8Array> = fc
  .record(
    {
      type: fc.oneof(
        fc.constantFrom<unknown>(
          'connection_init',
          'subscribe',
          'subscribe',
          'subscribe',
          'complete',
          'ping',
          'pong',
          'next',
          'error',
          'connection_ack',
          'start',
          '__proto__',
        ),
        odd,
      ),
      id: ids,
      payload: fc.oneof({ weight: 3, arbitrary: payload }, { weight: 1, arbitrary: odd }),
    },
    { requiredKeys: ['type'] },
  )
  .map((each) => text(JSON.stringify(each)));

const INIT = text('{"type":"connection_init"}');

/** A conversation that is wrong somewhere; most begin as they should. */
export const conversation: Arbitrary<Conversation> = fc
  .tuple(
    fc.constantFrom(true, true, true, false),
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: message },
        brokenFrame,
        fragments,
        close,
        payloads.map((words) => toFrame({ opcode: 1, payload: words })),
      ),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
  )
  .map(([begins, rest]) => (begins ? [INIT, ...rest] : rest));

/** Says it, and resolves with what was heard once nothing more can come. */
export async function converse(url: string, pieces: Conversation): Promise<Buffer> {
  const { port, pathname } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  const heard: Buffer[] = [];
  socket.on('data', (bytes) => heard.push(bytes));
  socket.on('error', () => {});
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n',
  );
  for (const piece of pieces) await written(socket, piece);
  // A close and the end: the server hangs up after both at the latest.
  await written(socket, toFrame({ opcode: 8, payload: Buffer.from([3, 232]) }));
  socket.end();
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(heard);
}

function written(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.writable) socket.write(bytes, () => setImmediate(resolve));
    else resolve();
  });
}
