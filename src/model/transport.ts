import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import { type ByteSource, PushedBytes } from './byte-source.ts';

/** As many as `fetch` of a browser follows would be too many for one server. */
const MAX_REDIRECTS = 5;

/** The way to the model's server. */
export interface Transport {
  /** As the global `fetch`, as far as the model's client needs it. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** The body of a response that `fetch` gave, as it comes; null if it has been read whole and is in the response. */
  bodyOf(response: Response): ByteSource | null;
}

/**
 * Sends requests over kept connections. The body of a response that may be a stream is handed over as it comes, with
 * none of the machinery of web streams between, which costs several times what reading a chunk does; JSON and what
 * is no success come whole.
 */
export function createTransport(): Transport {
  const agent = new Agent({
    headersTimeout: 0, // whoever waits has a time-out
    bodyTimeout: 0,
    allowH2: false, // one request, one connection: leaving one takes nobody's stream along
  });
  const bodies = new WeakMap<Response, ByteSource>();

  const send = (url: URL, { method, headers, body, signal }: Sent): Promise<Response> => {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const path = url.pathname + url.search;
    const answer = new Answer({ resolve, reject, signal, bodies });
    agent.dispatch({ origin: url.origin, path, method, headers, body }, answer);
    return promise;
  };

  return {
    async fetch(input, init = {}) {
      const { signal } = init;
      signal?.throwIfAborted();
      let url = new URL(input instanceof Request ? input.url : input);
      let sent: Sent = {
        method: init.method === 'POST' ? 'POST' : 'GET',
        headers: { ...Object.fromEntries(new Headers(init.headers)), 'accept-encoding': 'identity' },
        body: typeof init.body === 'string' ? toBuffer(init.body) : null,
        signal,
      };
      for (let redirects = 0; ; redirects++) {
        const response = await send(url, sent);
        const next = redirectOf(response, url);
        if (next === null || redirects === MAX_REDIRECTS) return response;
        sent = toRedirected(sent, { status: response.status, isElsewhere: next.origin !== url.origin });
        url = next;
      }
    },
    bodyOf: (response) => bodies.get(response) ?? null,
  };
}

/** Of its own: a piece of the buffer that Node shares would keep all of that for as long as the answer takes. */
function toBuffer(text: string): Buffer {
  const buffer = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  buffer.write(text);
  return buffer;
}

interface Sent {
  readonly method: 'GET' | 'POST';
  readonly headers: { readonly [name: string]: string };
  readonly body: Buffer | null;
  readonly signal: AbortSignal | null | undefined;
}

function redirectOf({ status, headers }: Response, from: URL): URL | null {
  const location = headers.get('location');
  return location === null || ![301, 302, 303, 307, 308].includes(status)
    ? null
    : URL.parse(location, from.href);
}

/** As https://fetch.spec.whatwg.org/#http-redirect-fetch has it: what is secret goes to no other server. */
function toRedirected(
  sent: Sent,
  { status, isElsewhere }: { readonly status: number; readonly isElsewhere: boolean },
): Sent {
  const { authorization, ...others } = sent.headers;
  const headers = isElsewhere || authorization === undefined ? others : sent.headers;
  return status === 307 || status === 308
    ? { ...sent, headers }
    : { ...sent, headers, method: 'GET', body: null };
}

interface Answering {
  readonly resolve: (response: Response) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | null | undefined;
  readonly bodies: WeakMap<Response, ByteSource>;
}

/** What becomes of one request. Keeps nothing of it once its body is on the way, which may take long. */
class Answer implements Dispatcher.DispatchHandler {
  private asked: Answering | null;
  private head: ResponseInit = {};
  private source: PushedBytes | null = null;
  private whole: Buffer[] = [];
  private connection: Dispatcher.DispatchController | null = null;

  constructor(asked: Answering) {
    this.asked = asked;
    asked.signal?.addEventListener('abort', this.abort);
  }

  onRequestStart(connection: Dispatcher.DispatchController): void {
    this.connection = connection;
    if (this.asked === null) this.abort(); // while there was no connection
  }

  onResponseStart(
    connection: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    const { 'content-type': type, 'content-encoding': encoding = 'identity' } = headers;
    if (encoding !== 'identity')
      throw new Error(`The answer is encoded as "${encoding}", which was not asked for.`);
    this.head = { status, headers: toHeaders(headers) };
    connection.rawHeaders = null; // pieces of what came from the socket, which would be kept as a whole
    if (status < 200 || status > 299 || isJson(type)) return;
    this.source = new PushedBytes(connection);
    const response = new Response(null, this.head);
    const asked = this.settle();
    asked?.bodies.set(response, this.source); // from now on it is the source that is closed
    asked?.resolve(response);
  }

  onResponseData(_connection: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.source === null) this.whole.push(bytes);
    else this.source.push(bytes);
  }

  onResponseEnd(): void {
    this.source?.finish();
    const body = Buffer.concat(this.whole);
    const { head } = this;
    this.settle()?.resolve(new Response(body.length === 0 ? null : body, head));
  }

  onResponseError(_connection: Dispatcher.DispatchController, error: Error): void {
    this.source?.finish(error);
    const asked = this.settle();
    asked?.reject(asked.signal?.aborted ? asked.signal.reason : error);
  }

  private readonly abort = () => {
    if (this.connection !== null) return this.connection.abort(new Error('The request was aborted.'));
    const asked = this.settle(); // finding the server may take long, and is not cut short
    asked?.reject(asked.signal?.reason);
  };

  private settle(): Answering | null {
    const { asked } = this;
    this.asked = null;
    this.head = {};
    this.whole = [];
    asked?.signal?.removeEventListener('abort', this.abort);
    return asked;
  }
}

/** `application/json`, or a JSON of its own. */
function isJson(contentType: string | null | undefined): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(contentType ?? '');
}

function toHeaders(headers: IncomingHttpHeaders): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const each of Array.isArray(value) ? value : [value ?? '']) all.append(name, each);
  return all;
}
