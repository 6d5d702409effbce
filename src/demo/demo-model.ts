import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { answer } from './answer.ts';
import { newCompletion, toChatCompletion } from './completion.ts';
import { listen } from './listen.ts';
import { MODEL, parseRequest, type Refusal } from './parse-request.ts';
import { speak } from './speak.ts';
import { streamAnswer } from './stream-answer.ts';

export interface DemoModel {
  /** What a Chat Completions client calls its base URL: `http://127.0.0.1:PORT/v1`. */
  readonly baseUrl: string;
  /** Stops listening and cuts the answers that are still being sent. */
  close(): Promise<void>;
}

export interface DemoModelOptions {
  /** Time between two words of a streamed answer; 40 unless told. */
  readonly wordDelayMs?: number;
  /** Any free one unless told. */
  readonly port?: number;
}

/** Starts the built-in model: a Chat Completions server on loopback that needs no key and no network. */
export async function startDemoModel(options: DemoModelOptions = {}): Promise<DemoModel> {
  const { wordDelayMs = 40, port = 0 } = options;
  const server = createServer((request, response) => {
    respond(request, response, wordDelayMs).catch(() => fail(response));
  });
  const { origin, close } = await listen(server, { who: 'The demo model', port });
  return { baseUrl: `${origin}/v1`, close };
}

async function respond(request: IncomingMessage, response: ServerResponse, wordDelayMs: number) {
  const [path] = (request.url ?? '').split('?', 1);
  const operation = `${request.method} ${path}`;
  switch (operation) {
    case 'GET /v1/models': {
      const model = { id: MODEL, object: 'model', created: 0, owned_by: MODEL };
      return sendJson(response, 200, { object: 'list', data: [model] });
    }
    case 'POST /v1/chat/completions':
      return complete(response, await text(request), wordDelayMs);
    default:
      return refuse(response, {
        status: 404,
        message: `Unknown request URL: ${operation}.`,
        code: 'unknown_url',
      });
  }
}

async function complete(response: ServerResponse, body: string, wordDelayMs: number) {
  const parsed = parseRequest(body);
  if (!parsed.ok) return refuse(response, parsed.refusal);

  const { request } = parsed;
  const limit = request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY;
  const completion = newCompletion(request, speak(answer(request), limit));
  if (request.stream !== true) return sendJson(response, 200, toChatCompletion(completion));

  if (response.destroyed) return;
  const left = new AbortController();
  response.once('close', () => left.abort()); // the client went, the server closes, or all is said
  const includeUsage = request.stream_options?.include_usage === true;
  const events = streamAnswer(completion, { includeUsage, wordDelayMs, signal: left.signal });
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  await pipeline(events, response);
}

function sendJson(response: ServerResponse, status: number, body: object) {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, { status, message, param, code }: Refusal) {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  sendJson(response, status, { error: { message, type, param: param ?? null, code: code ?? null } });
}

/** After an answer broke off: most often the client has gone, and then there is nobody to tell. */
function fail(response: ServerResponse) {
  if (response.headersSent || response.destroyed) response.destroy();
  else refuse(response, { status: 500, message: 'The demo model failed.' });
}
