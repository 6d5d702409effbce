import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher, interceptors } from 'undici';
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
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTS }));
  const bodies = new WeakMap<Response, ByteSource>();

  return {
    async fetch(input, init = {}) {
      const { origin, pathname, search } = new URL(input instanceof Request ? input.url : input);
      const { promise, resolve, reject } = Promise.withResolvers<Response>();
      const { signal } = init;
      signal?.throwIfAborted();
      const answer = new Answer({ resolve, reject, signal, bodies });
      dispatcher.dispatch(
        {
          origin,
          path: pathname + search,
          method: toMethod(init.method),
          headers: { ...Object.fromEntries(new Headers(init.headers)), 'accept-encoding': 'identity' },
          body: typeof init.body === 'string' ? init.body : null,
        },
        answer,
      );
      return promise;
    },
    bodyOf: (response) => bodies.get(response) ?? null,
  };
}

function toMethod(method = 'GET'): Dispatcher.HttpMethod {
  return method === 'POST' ? 'POST' : 'GET';
}

interface Answering {
  readonly resolve: (response: Response) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | null | undefined;
  readonly bodies: WeakMap<Response, ByteSource>;
}

/** What becomes of one request. */
class Answer implements Dispatcher.DispatchHandler {
  private readonly request: Answering;
  private head: ResponseInit = {};
  private source: PushedBytes | null = null;
  private readonly whole: Buffer[] = [];
  private connection: Dispatcher.DispatchController | null = null;

  constructor(request: Answering) {
    this.request = request;
    request.signal?.addEventListener('abort', this.abort);
  }

  onRequestStart(connection: Dispatcher.DispatchController): void {
    this.connection = connection;
    if (this.request.signal?.aborted) this.abort();
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
    if (status < 200 || status > 299 || isJson(type)) return;
    this.source = new PushedBytes(connection);
    const response = new Response(null, this.head);
    this.request.bodies.set(response, this.source);
    this.request.resolve(response);
  }

  onResponseData(_connection: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.source === null) this.whole.push(bytes);
    else this.source.push(bytes);
  }

  onResponseEnd(): void {
    this.release();
    if (this.source === null) this.request.resolve(new Response(Buffer.concat(this.whole), this.head));
    else this.source.end(null);
  }

  onResponseError(_connection: Dispatcher.DispatchController, error: Error): void {
    this.release();
    const { signal, reject } = this.request;
    if (this.source === null) reject(signal?.aborted ? signal.reason : error);
    else this.source.end(error);
  }

  private readonly abort = () => {
    this.connection?.abort(new Error('The request was aborted.'));
  };

  private release(): void {
    this.request.signal?.removeEventListener('abort', this.abort);
  }
}

/** `application/json`, or a JSON of its own. */
export function isJson(contentType: string | null | undefined): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(contentType ?? '');
}

function toHeaders(headers: IncomingHttpHeaders): Headers {
  const all = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const each of Array.isArray(value) ? value : [value ?? '']) all.append(name, each);
  return all;
}
