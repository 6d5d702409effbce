import { BodyReader } from './body-reader.ts';
import { connectTo } from './connect.ts';

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

export async function openHttp(address: string): Promise<RawHttp> {
  const url = new URL(address);
  const authorization = url.username === '' ? '' : `Authorization: Bearer ${url.username}\r\n`;
  let answer: AnswerReader | null = null;
  const socket = await connectTo(url, {
    onBytes: (bytes) => {
      if (answer?.push(bytes)) answer = null;
    },
    onClose: () => answer?.fail('The server closed the connection before its answer was whole.'),
  });
  return {
    post: ({ path, accept, body }, onBody) => {
      const text = JSON.stringify(body);
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: ${url.host}\r\nAccept: ${accept}\r\n${authorization}` +
          `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      );
      answer = new AnswerReader(onBody);
      return answer.whole;
    },
    close: () => socket.destroy(),
  };
}

/** One answer as it comes. */
class AnswerReader {
  private readonly onBody: (bytes: Buffer) => void;
  private readonly end = Promise.withResolvers<void>();
  private head: Buffer = Buffer.alloc(0);
  private body: BodyReader | null = null;

  constructor(onBody: (bytes: Buffer) => void) {
    this.onBody = onBody;
  }

  /** Resolves when the body has ended. */
  get whole(): Promise<void> {
    return this.end.promise;
  }

  /** True once it is whole, or no answer that is wanted. */
  push(bytes: Buffer): boolean {
    if (this.body !== null) return this.pushBody(this.body, bytes);
    this.head = Buffer.concat([this.head, bytes]);
    const end = this.head.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const text = this.head.toString('latin1', 0, end);
    if (!text.startsWith('HTTP/1.1 200')) {
      this.fail(this.head.toString('latin1'));
      return true;
    }
    this.body = new BodyReader(text);
    return this.pushBody(this.body, this.head.subarray(end + 4));
  }

  fail(reason: string): void {
    this.end.reject(new Error(reason));
  }

  private pushBody(body: BodyReader, bytes: Buffer): boolean {
    const isWhole = body.push(bytes, this.onBody);
    if (isWhole) this.end.resolve();
    return isWhole;
  }
}
