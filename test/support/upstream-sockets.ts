import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** One connection of a server that speaks HTTP by hand. */
export interface UpstreamSocket {
  readonly socket: Socket;
  /** Everything that has come over it. */
  readonly received: () => string;
  /** Resolves with its number (from 1) of a request whose whole body has come. */
  readonly asked: (count: number) => Promise<void>;
  readonly closed: Promise<void>;
}

/** A server of bytes: it says what it is told, to the byte, and closes when it is told. */
export interface UpstreamSockets extends AsyncDisposable {
  readonly baseUrl: string;
  /** The connection number `count`, from 1, once there is one. */
  connection(count: number): Promise<UpstreamSocket>;
  readonly connections: number;
}

/** Every request of the tests ends so: their bodies are JSON objects. */
const END = /\}$/;

export async function startUpstreamSockets(): Promise<UpstreamSockets> {
  const made: UpstreamSocket[] = [];
  const wanted: { readonly count: number; readonly resolve: (socket: UpstreamSocket) => void }[] = [];
  const server = createServer((socket) => {
    let text = '';
    let requests = 0;
    const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
    socket.on('data', (data) => {
      text += data;
      if (END.test(text)) requests++;
      for (const { count, resolve } of waiting) if (count <= requests) resolve();
    });
    socket.on('error', () => {});
    const connection: UpstreamSocket = {
      socket,
      received: () => text,
      asked: (count) =>
        new Promise((resolve) => (count <= requests ? resolve() : waiting.push({ count, resolve }))),
      closed: once(socket, 'close').then(() => undefined),
    };
    made.push(connection);
    for (const { count, resolve } of wanted) if (count === made.length) resolve(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    connection: (count) =>
      new Promise((resolve) => {
        const found = made[count - 1];
        if (found === undefined) wanted.push({ count, resolve });
        else resolve(found);
      }),
    get connections() {
      return made.length;
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of made) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
