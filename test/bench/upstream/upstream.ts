import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { asObject, asText } from '../../../src/util/json.ts';
import { wholeAnswer } from './chunks.ts';
import { type Plan, parseModel } from './plan.ts';
import { type Played, playStream } from './play-stream.ts';

/** A Chat Completions server that plays what the name of the model says, from bytes made beforehand. */
export interface Upstream {
  /** Up to and without `/chat/completions`. */
  readonly url: string;
  /** What became of the stream of this plan; undefined until its request has come. */
  played(plan: Plan): Played | undefined;
  /** Forgets the streams so far, which have ended. */
  forget(): void;
  close(): void;
}

const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n';

export async function startUpstream(): Promise<Upstream> {
  const streams = new Map<string, Played>();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {}); // 'close' follows
    readRequests(socket, (body) => {
      const plan = parseModel(asText(body['model']));
      if (plan === null) socket.write(NOT_FOUND);
      else if (body['stream'] === true) streams.set(plan.key, playStream(socket, plan));
      else socket.write(wholeAnswer(plan.chunks));
    });
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    played: ({ key }) => streams.get(key),
    forget: () => streams.clear(),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Calls `take` with the body of each request; whatever has none gets a 404. */
function readRequests(socket: Socket, take: (body: { readonly [key: string]: unknown }) => void): void {
  let held: Buffer = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    for (;;) {
      const headEnd = held.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const head = held.toString('latin1', 0, headEnd);
      const length = Number(/\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      const end = headEnd + HEAD_END.length + length;
      if (held.length < end) return;
      const text = held.toString('utf8', headEnd + HEAD_END.length, end);
      held = held.subarray(end);
      const body = length === 0 ? null : asObject(JSON.parse(text));
      if (body === null) socket.write(NOT_FOUND);
      else take(body);
    }
  });
}
