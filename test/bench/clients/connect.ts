import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface SocketEvents {
  /** What came, valid during the call only: every socket reads into the same memory. */
  readonly onBytes: (bytes: Buffer) => void;
  readonly onClose: () => void;
}

const memory = Buffer.alloc(64 * 1024);

/** A plain socket to where the URL says, past Node's streams when it reads: those cost more than the rest. */
export async function connectTo(url: URL, { onBytes, onClose }: SocketEvents): Promise<Socket> {
  const socket = connect({
    host: url.hostname,
    port: Number(url.port),
    noDelay: true,
    onread: {
      buffer: memory,
      callback: (length, bytes) => {
        if (length > 0) onBytes(Buffer.from(bytes.buffer, bytes.byteOffset, length));
        return true;
      },
    },
  });
  socket.on('error', () => {}); // 'close' follows
  await once(socket, 'connect');
  socket.once('close', onClose);
  return socket;
}
