import type { Socket } from 'node:net';
import { connectTo } from './connect.ts';

/** A WebSocket on a plain socket, just enough of one: whole text messages, in both directions. */
export interface RawWebSocket {
  send(text: string): void;
  close(): void;
}

export interface WebSocketEvents {
  /** The bytes of one message, valid during the call. */
  readonly onMessage: (payload: Buffer) => void;
  readonly onClose: (reason: string) => void;
}

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

const NONE = Buffer.alloc(0);

/** @throws Error when the server does not agree to a WebSocket. */
export async function openWebSocket(
  address: string,
  protocol: string,
  { onMessage, onClose }: WebSocketEvents,
): Promise<RawWebSocket> {
  const url = new URL(address);
  const upgraded = Promise.withResolvers<void>();
  let isOpen = false;
  let held: Buffer = NONE;
  const take = (opcode: number, payload: Buffer) => {
    if (opcode === PING) sendFrame(socket, PONG, payload);
    else if (opcode === CLOSE) socket.end();
    else onMessage(payload);
  };
  const onBytes = (bytes: Buffer) => {
    const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    let at = 0;
    if (!isOpen) {
      const end = all.indexOf('\r\n\r\n');
      if (end >= 0) {
        at = end + 4;
        isOpen = all.toString('latin1', 0, end).startsWith('HTTP/1.1 101');
        if (isOpen) upgraded.resolve();
        else upgraded.reject(new Error(all.toString('latin1')));
      }
    }
    if (isOpen) at = readFrames(all, at, take);
    held = at === all.length ? NONE : Buffer.from(all.subarray(at)); // a copy: the bytes are not ours to keep
  };
  const socket = await connectTo(url, {
    onBytes,
    onClose: () => {
      upgraded.reject(new Error('The server closed the connection.'));
      onClose('The server closed the socket.');
    },
  });
  socket.write(
    `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n` +
      `${protocol === '' ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`}\r\n`,
  );
  await upgraded.promise;
  return { send: (text) => sendFrame(socket, TEXT, Buffer.from(text)), close: () => socket.destroy() };
}

/** Takes every whole frame from `start` on; returns where the first that is not begins. Servers send short messages unfragmented. */
function readFrames(bytes: Buffer, start: number, take: (opcode: number, payload: Buffer) => void): number {
  let at = start;
  while (at + 2 <= bytes.length) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const begin = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (begin > bytes.length) break;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUIntBE(at + 4, 6);
    if (begin + length > bytes.length) break;
    take((bytes[at] ?? 0) & 0x0f, bytes.subarray(begin, begin + length));
    at = begin + length;
  }
  return at;
}

/** Masked, as clients must, with a key of zeros: that leaves the bytes as they are. */
function sendFrame(socket: Socket, opcode: number, payload: Buffer): void {
  const head = payload.length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
  head[0] = 0x80 | opcode;
  if (payload.length < 126) head[1] = 0x80 | payload.length;
  else {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(payload.length, 2);
  }
  socket.write(Buffer.concat([head, payload]));
}
