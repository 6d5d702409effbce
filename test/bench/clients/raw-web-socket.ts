import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

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

/** @throws Error when the server does not agree to a WebSocket. */
export async function openWebSocket(
  url: string,
  protocol: string,
  { onMessage, onClose }: WebSocketEvents,
): Promise<RawWebSocket> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on('error', () => {}); // 'close' follows
  await once(socket, 'connect');
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n` +
      `${protocol === '' ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`}\r\n`,
  );
  let held = await readUpgrade(socket);
  const take = (opcode: number, payload: Buffer) => {
    if (opcode === PING) sendFrame(socket, PONG, payload);
    else if (opcode === CLOSE) socket.end();
    else onMessage(payload);
  };
  const read = (bytes: Buffer) => {
    const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    held = all.subarray(readFrames(all, take));
  };
  read(Buffer.alloc(0));
  socket.on('data', read);
  socket.once('close', () => onClose('the server closed the socket'));
  socket.resume();
  return { send: (text) => sendFrame(socket, TEXT, Buffer.from(text)), close: () => socket.destroy() };
}

/** The bytes that came behind the answer to the upgrade. */
async function readUpgrade(socket: Socket): Promise<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for (;;) {
    const [bytes]: unknown[] = await once(socket, 'data', { signal: AbortSignal.timeout(30_000) });
    if (!Buffer.isBuffer(bytes)) continue;
    held = Buffer.concat([held, bytes]);
    const end = held.indexOf('\r\n\r\n');
    if (end < 0) continue;
    socket.pause();
    if (!held.toString('latin1', 0, end).startsWith('HTTP/1.1 101'))
      throw new Error(held.toString('latin1', 0, end));
    return held.subarray(end + 4);
  }
}

/** Takes every whole frame; returns where the first that is not begins. Servers send short messages unfragmented. */
function readFrames(bytes: Buffer, take: (opcode: number, payload: Buffer) => void): number {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (start > bytes.length) break;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUIntBE(at + 4, 6);
    if (start + length > bytes.length) break;
    take((bytes[at] ?? 0) & 0x0f, bytes.subarray(start, start + length));
    at = start + length;
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
