import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { BodyReader } from './body-reader.ts';

/** One connection that is kept alive, for one request after the other. */
export interface RawHttp {
  /** Posts JSON and hands over the pieces of the answer's body as they come. Fails unless the answer is a 200. */
  post(request: HttpRequest, onBody: (bytes: Buffer) => void): Promise<void>;
  close(): void;
}

export interface HttpRequest {
  readonly path: string;
  readonly accept: string;
  readonly body: object;
}

export async function openHttp(url: string): Promise<RawHttp> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on('error', () => {}); // 'close' follows
  await once(socket, 'connect');
  return {
    post: (request, onBody) => {
      const body = JSON.stringify(request.body);
      const answered = readAnswer(socket, onBody);
      socket.write(
        `POST ${request.path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: ${request.accept}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      return answered;
    },
    close: () => socket.destroy(),
  };
}

/** Resolves when the body has ended. */
function readAnswer(socket: Socket, onBody: (bytes: Buffer) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let head: Buffer = Buffer.alloc(0);
  let body: BodyReader | undefined;
  const leave = (error?: Error) => {
    socket.off('data', read);
    socket.off('close', close);
    if (error === undefined) resolve();
    else reject(error);
  };
  const read = (bytes: Buffer) => {
    let piece = bytes;
    if (body === undefined) {
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const text = head.toString('latin1', 0, end);
      if (!text.startsWith('HTTP/1.1 200')) return leave(new Error(head.toString('latin1')));
      body = new BodyReader(text);
      piece = head.subarray(end + 4);
    }
    if (body.push(piece, onBody)) leave();
  };
  const close = () => leave(new Error('The server closed the connection before its answer was whole.'));
  socket.on('data', read);
  socket.once('close', close);
  return promise;
}
