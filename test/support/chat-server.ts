import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the upstream received it. */
export interface Exchange {
  readonly body: ChatBody;
  readonly request: IncomingMessage;
  readonly answer: ServerResponse;
  /** Resolves when the client's side of the connection has closed. */
  readonly closed: Promise<void>;
}

/** The parts of a Chat Completions request that tests look at. */
export interface ChatBody {
  readonly model: string;
  readonly messages: readonly {
    readonly role: string;
    readonly content: unknown;
    readonly [key: string]: unknown;
  }[];
  readonly [key: string]: unknown;
}

export type Answer = (exchange: Exchange) => void | Promise<void>;

/** A Chat Completions server that answers as it is told, one answer for each request. */
export interface ChatServer extends AsyncDisposable {
  readonly baseUrl: string;
  readonly exchanges: readonly Exchange[];
  /** The answers to the next requests, in this order. Unasked for, it says "ok". */
  enqueue(...answers: Answer[]): void;
  /** Resolves with the exchange number `count` (from 1), as soon as it has arrived. */
  received(count: number): Promise<Exchange>;
}

/** `otherwise`: how it answers what no answer is waiting for. */
export async function startChatServer(otherwise: Answer = says('ok')): Promise<ChatServer> {
  const exchanges: Exchange[] = [];
  const queue: Answer[] = [];
  const waiting: { count: number; resolve: (exchange: Exchange) => void }[] = [];
  const server = createServer(async (request, answer) => {
    if (request.url?.endsWith('/models')) return json(200, MODELS)({ request, answer } as Exchange);
    let text = '';
    for await (const chunk of request) text += chunk;
    const closed = once(answer, 'close').then(() => undefined);
    const exchange = { body: JSON.parse(text) as ChatBody, request, answer, closed };
    exchanges.push(exchange);
    for (const each of waiting.filter(({ count }) => count === exchanges.length)) each.resolve(exchange);
    await (queue.shift() ?? otherwise)(exchange);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    exchanges,
    enqueue: (...answers) => queue.push(...answers),
    received: (count) =>
      new Promise((resolve) => {
        const exchange = exchanges[count - 1];
        if (exchange !== undefined) resolve(exchange);
        else waiting.push({ count, resolve });
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const MODELS = {
  object: 'list',
  data: [
    { id: 'test-model', object: 'model', created: 1_700_000_000, owned_by: 'tests' },
    { id: 'other-model', object: 'model' },
  ],
};

export const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

type Delta = { readonly [key: string]: unknown };

/** One chunk of a stream, as OpenAI sends it. */
export function chunk(delta: Delta, finishReason: string | null = null, more: object = {}): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'test-model',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
    ...more,
  };
}

export function sse(...chunks: readonly object[]): string {
  return chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('');
}

export const DONE = 'data: [DONE]\n\n';

export function openStream({ answer }: Exchange): void {
  answer.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  answer.flushHeaders();
}

/** Writes and waits until the bytes have left, so that each write is a read of its own on the other side. */
export function write({ answer }: Exchange, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => answer.write(text, () => setImmediate(resolve)));
}

/** A whole stream of these chunks, each in a write of its own. */
export function streams(...chunks: readonly object[]): Answer {
  return async (exchange) => {
    openStream(exchange);
    for (const each of chunks) await write(exchange, sse(each));
    exchange.answer.end(DONE);
  };
}

export function says(...words: readonly string[]): Answer {
  const usage = { choices: [], usage: USAGE };
  return streams(...words.map((content) => chunk({ content })), chunk({}, 'stop'), usage);
}

export interface Call {
  readonly name: string;
  readonly arguments: string;
  readonly id?: string;
}

/** Text, if any, then parallel calls, each with its arguments in two fragments. */
export function calls(list: readonly Call[], text = ''): Answer {
  const chunks: object[] = text === '' ? [] : [chunk({ content: text })];
  list.forEach(({ name, arguments: json, id = `call_${index(list, name)}` }, at) => {
    const half = Math.ceil(json.length / 2);
    const open = { index: at, id, type: 'function', function: { name, arguments: json.slice(0, half) } };
    chunks.push(chunk({ tool_calls: [open] }));
    chunks.push(chunk({ tool_calls: [{ index: at, function: { arguments: json.slice(half) } }] }));
  });
  return streams(...chunks, chunk({}, 'tool_calls'), { choices: [], usage: USAGE });
}

function index(list: readonly Call[], name: string): string {
  return `${name}_${list.findIndex((call) => call.name === name)}`;
}

/** An answer that is one JSON body, an error for example. */
export function json(
  status: number,
  body: unknown,
  headers: { readonly [name: string]: string } = {},
): Answer {
  return ({ answer }) => {
    answer.writeHead(status, { 'content-type': 'application/json', ...headers });
    answer.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/** Says these words, then cuts the connection. */
export function diesAfter(...words: readonly string[]): Answer {
  return async (exchange) => {
    openStream(exchange);
    for (const content of words) await write(exchange, sse(chunk({ content })));
    exchange.answer.destroy();
  };
}

/** Says these words, then nothing more, until the client goes. */
export function hangsAfter(...words: readonly string[]): Answer {
  return async (exchange) => {
    openStream(exchange);
    for (const content of words) await write(exchange, sse(chunk({ content })));
    await exchange.closed;
  };
}

/** A stream that the test writes by hand: `await feed.open`, then `feed.write(...)`, at last `feed.end()`. */
export function feed() {
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  const answer: Answer = (exchange) => {
    openStream(exchange);
    resolve(exchange);
  };
  return {
    answer,
    open: promise,
    say: async (...words: readonly string[]) => {
      for (const content of words) await write(await promise, sse(chunk({ content })));
    },
    end: async (finishReason = 'stop') => {
      const exchange = await promise;
      await write(exchange, sse(chunk({}, finishReason), { choices: [], usage: USAGE }));
      exchange.answer.end(DONE);
    },
  };
}

/** These bytes as they are, in one write each. */
export function sends(
  body: string | readonly (string | Uint8Array)[],
  { status = 200, type = 'text/event-stream' } = {},
): Answer {
  return async (exchange) => {
    exchange.answer.writeHead(status, { 'content-type': type, 'retry-after-ms': '1' });
    for (const each of typeof body === 'string' ? [body] : body) await write(exchange, each);
    exchange.answer.end();
  };
}
