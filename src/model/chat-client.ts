import OpenAI from 'openai';
import type { ModelInfo } from '../protocol/model-info.ts';
import { asCount, asObject, asText } from '../util/json.ts';
import { createRedactor } from '../util/redaction.ts';
import { secretsOfUrl } from '../util/secrets.ts';
import type { ByteSource } from './byte-source.ts';
import { ChunkReader } from './chat-chunks.ts';
import { clean, fromClientError } from './chat-errors.ts';
import { type TokenLimitField, toChatRequest } from './chat-request.ts';
import {
  type ModelClient,
  ModelError,
  type ModelPart,
  type ModelRequest,
  type TakeParts,
} from './model-client.ts';
import { Silence } from './silence.ts';
import { SseReader, type SseRecord } from './sse-reader.ts';
import { createTransport } from './transport.ts';

export interface ChatClientOptions {
  /** Up to and without `/chat/completions`, e.g. `http://localhost:11434/v1`. */
  readonly baseUrl: string;
  /** Null: no Authorization header is sent. */
  readonly apiKey: string | null;
  /** No answer, or no further chunk, for this many milliseconds fails the call. */
  readonly idleTimeoutMs: number;
}

/** After an error in a stream only the usage is of interest, and worth no long wait. In milliseconds. */
const AFTER_ERROR_MS = 1000;

/**
 * The adapter for every server that speaks Chat Completions. The `openai` client makes the request (headers,
 * retries before the first chunk, typed errors); the body is read here, because that client's own iterator
 * throws on what many providers send.
 */
export function createChatClient({ baseUrl, apiKey, idleTimeoutMs }: ChatClientOptions): ModelClient {
  const transport = createTransport();
  const client = new OpenAI({
    fetch: transport.fetch,
    baseURL: baseUrl,
    apiKey: apiKey ?? 'none',
    ...(apiKey === null && { defaultHeaders: { Authorization: null } }),
    organization: null,
    project: null,
    maxRetries: 2,
    timeout: idleTimeoutMs,
    logLevel: 'off',
  });
  const redact = createRedactor([apiKey ?? '', ...secretsOfUrl(baseUrl)].filter(isSecret));
  const limitField = limitFieldOf(baseUrl);

  /** What the upstream answers: a body to be read, or all of one. */
  async function open(
    request: ModelRequest,
    signal: AbortSignal,
  ): Promise<{ readonly body: ByteSource } | { readonly json: string }> {
    const body = toChatRequest(request, limitField);
    const answer = await client.chat.completions.create(body, { signal }).asResponse();
    const source = transport.bodyOf(answer);
    return source === null ? { json: await answer.text() } : { body: source };
  }

  async function stream(request: ModelRequest, take: TakeParts, signal: AbortSignal): Promise<void> {
    const call = new AbortController();
    const stop = () => call.abort(signal.reason);
    signal.addEventListener('abort', stop);
    const silence = new Silence(idleTimeoutMs, (reason) => call.abort(reason));
    const reader = new ChunkReader({ wantsLogprobs: request.settings.topLogprobs !== null });
    let isBroken = false;
    const hand: TakeParts = (parts) => {
      if (parts.length === 0) return null;
      isBroken = true;
      const room = take(parts);
      isBroken = false;
      return room;
    };
    try {
      signal.throwIfAborted();
      const opened = await open(request, call.signal);
      if ('json' in opened) hand(reader.readCompletion(parse(opened.json)));
      else await readBody(opened.body, { reader, silence, hand }, call.signal);
      hand(reader.end());
      if (reader.failure !== null) throw reader.failure;
    } catch (error) {
      if (isBroken) throw error; // by whoever takes
      signal.throwIfAborted();
      if (call.signal.aborted && !(error instanceof ModelError)) throw call.signal.reason;
      const failure = fromClientError(error, redact);
      throw new ModelError(failure.code, clean(failure.message, redact), { cause: error });
    } finally {
      silence.stop();
      signal.removeEventListener('abort', stop);
    }
  }

  /** Reads a stream to its end. Ended early, for whatever reason, it is closed. */
  async function readBody(
    body: ByteSource,
    { reader, silence, hand }: Reading,
    signal: AbortSignal,
  ): Promise<void> {
    const records = new SseReader();
    const listen = () => silence.begin(reader.failed ? AFTER_ERROR_MS : idleTimeoutMs);
    const close = () => body.close();
    signal.addEventListener('abort', close);
    listen();
    try {
      signal.throwIfAborted();
      await body.read((bytes) => {
        silence.end(); // however long the consumer takes, that is not the model's silence
        const { parts, last } = readRecords(records.push(bytes), reader);
        const room = hand(parts);
        if (last instanceof ModelError) throw last;
        if (last === 'done') body.leave();
        else if (room === null) listen();
        else void room.then(listen);
        return room;
      });
    } catch (error) {
      // The error that the model reported says more.
      if (!reader.failed || error instanceof ModelError) throw error;
    } finally {
      signal.removeEventListener('abort', close);
      body.close();
    }
    const { parts, last } = readRecords(records.end(), reader);
    hand(parts);
    if (last instanceof ModelError) throw last;
  }

  async function listModels(signal: AbortSignal): Promise<readonly ModelInfo[]> {
    try {
      const page: unknown = await client.get('/models', { signal, timeout: 10_000, maxRetries: 1 });
      const data = asObject(page)?.['data'];
      if (!Array.isArray(data)) throw new ModelError('server_error', 'The upstream sent no list of models.');
      return data.flatMap(toModelInfo);
    } catch (error) {
      signal.throwIfAborted();
      throw fromClientError(error, redact);
    }
  }

  return { stream, listModels };
}

/** Shorter ones hide nothing: local servers take any key, such as "x". */
function isSecret({ length }: string): boolean {
  return length >= 4;
}

interface Reading {
  readonly reader: ChunkReader;
  readonly silence: Silence;
  readonly hand: TakeParts;
}

interface Read {
  readonly parts: readonly ModelPart[];
  /** What ended the stream, if anything did. */
  readonly last: ModelError | 'done' | null;
}

function readRecords(records: readonly SseRecord[], reader: ChunkReader): Read {
  const parts: ModelPart[] = [];
  for (const { event, data } of records) {
    if (data === '') continue;
    if (data === '[DONE]') return { parts, last: 'done' as const };
    const repeated = event === '' ? reader.readRepeated(data) : null;
    if (repeated !== null) {
      parts.push(repeated);
      continue;
    }
    try {
      parts.push(...reader.readChunk(toChunk(event, data), data));
    } catch (error) {
      if (error instanceof ModelError) return { parts, last: error }; // what came before it still counts
      throw error;
    }
  }
  return { parts, last: null };
}

/** A record named `error` is one, whether or not its JSON says so again. */
function toChunk(event: string, data: string): unknown {
  const chunk = parse(data);
  if (event !== 'error' || asObject(chunk)?.['error'] !== undefined) return chunk;
  return { error: chunk };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new ModelError('server_error', 'The model sent something that is not JSON.', { cause });
  }
}

/** OpenAI's newer models refuse `max_tokens`; most other servers know nothing else. */
function limitFieldOf(baseUrl: string): TokenLimitField {
  const host = URL.parse(baseUrl)?.hostname ?? '';
  return /(^|\.)(openai\.com|openai\.azure\.com)$/.test(host) ? 'max_completion_tokens' : 'max_tokens';
}

function toModelInfo(raw: unknown): ModelInfo[] {
  const model = asObject(raw);
  const name = asText(model?.['id']);
  if (model === null || name === '') return [];
  const created = asCount(model['created']);
  return [{ name, ownedBy: asText(model['owned_by']) || null, createdAt: created ? created * 1000 : null }];
}
