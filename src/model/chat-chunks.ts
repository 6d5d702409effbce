import type { Annotation, TokenLogprob, TopLogprob } from '../protocol/content.ts';
import type { Usage } from '../protocol/usage.ts';
import { asArray, asInt, asNumber, asObject, asText, type Json } from '../util/json.ts';
import { toModelError } from './chat-errors.ts';
import { type FinishReason, ModelError, type ModelPart } from './model-client.ts';
import { type ChunkText, RepeatedChunk } from './repeated-chunk.ts';
import { ToolCallBuffer } from './tool-call-buffer.ts';

/**
 * Reads the chunks of one chat completion, whoever sent them. Only choice 0 counts. On the hot path: no
 * validation beyond what is read.
 */
export class ChunkReader {
  private readonly repeated = new RepeatedChunk();
  /** Made for the first call: most answers have none. */
  private calls: ToolCallBuffer | null = null;
  private finishReason: string | null = null;
  private usage: Usage | null = null;
  private error: ModelError | null = null;
  private hasContent = false;
  private readonly wantsLogprobs: boolean;

  constructor({ wantsLogprobs }: { readonly wantsLogprobs: boolean }) {
    this.wantsLogprobs = wantsLogprobs;
  }

  /** All that a chunk says, which is a part; null if its JSON is to be parsed and read. */
  readRepeated(json: string): ModelPart | null {
    return this.repeated.read(json);
  }

  /** The parts of one chunk of a stream, which came as this JSON. */
  readChunk(raw: unknown, json: string): ModelPart[] {
    const parts = this.read(raw, 'delta');
    const said = this.error === null ? onlyTextOf(raw, parts) : null;
    if (said !== null) this.repeated.learn(json, said);
    return parts;
  }

  /** The parts of an answer that came whole. */
  readCompletion(raw: unknown): ModelPart[] {
    return this.read(raw, 'message');
  }

  /** True once the upstream has reported an error. Usage may still follow it. */
  get failed(): boolean {
    return this.error !== null;
  }

  /** What can be said only at the end: usage, then the finish. */
  end(): readonly ModelPart[] {
    const rest: ModelPart[] = [];
    this.calls?.end(rest);
    if (this.usage !== null) rest.push({ type: 'usage', usage: this.usage });
    if (this.error === null && (this.finishReason !== null || this.hasContent)) {
      rest.push({ type: 'finish', reason: toFinishReason(this.finishReason) });
    }
    return rest;
  }

  /** Why the stream, which is over, has failed: an error that came in it, or nothing said; null if it has not. */
  get failure(): ModelError | null {
    if (this.error !== null || this.finishReason !== null || this.hasContent) return this.error;
    return new ModelError('server_error', 'The model ended its answer without saying anything.');
  }

  private read(raw: unknown, key: 'delta' | 'message'): ModelPart[] {
    const chunk = asObject(raw);
    if (chunk === null)
      throw new ModelError('server_error', 'The model sent a chunk that is no JSON object.');
    const error = chunk['error'];
    if (error !== undefined && error !== null && error !== '') this.error ??= toModelError(null, error);
    this.usage = toUsage(chunk['usage']) ?? toUsage(asObject(chunk['x_groq'])?.['usage']) ?? this.usage;

    const parts: ModelPart[] = [];
    for (const each of asArray(chunk['choices'])) {
      const choice = asObject(each);
      if (choice === null || (asNumber(choice['index']) ?? 0) !== 0) continue;
      this.readDelta(asObject(choice[key]), choice, parts);
      const reason = choice['finish_reason'];
      if (typeof reason === 'string' && reason !== '') this.finishReason = reason;
    }
    if (parts.length > 0) this.hasContent = true;
    return parts;
  }

  private readDelta(delta: Json | null, choice: Json, parts: ModelPart[]): void {
    if (delta === null) return;
    const { text, thinking } = contentOf(delta['content']);
    readReasoning(delta, thinking, parts);
    if (text !== '') {
      const logprobs = this.wantsLogprobs ? toLogprobs(choice['logprobs']) : null; // some send them unasked
      parts.push({ type: 'text', text, logprobs });
    }
    const refusal = asText(delta['refusal']);
    if (refusal !== '') parts.push({ type: 'refusal', text: refusal });
    for (const each of asArray(delta['annotations'])) {
      const annotation = toAnnotation(each);
      if (annotation !== null) parts.push({ type: 'annotation', annotation });
    }
    if (delta['tool_calls'] !== undefined) {
      this.calls ??= new ToolCallBuffer();
      this.calls.read(delta['tool_calls'], parts);
    }
  }
}

/** The text that a chunk gave, if that is all it gave; null too for one that does more than give a part. */
function onlyTextOf(raw: unknown, [part, ...more]: readonly ModelPart[]): ChunkText | null {
  const [choice, ...choices] = asArray(asObject(raw)?.['choices']);
  const delta = asObject(asObject(choice)?.['delta']);
  if (delta === null || choices.length > 0 || part === undefined || more.length > 0) return null;
  const { tool_calls: calls = null } = delta;
  if (calls !== null && !(Array.isArray(calls) && calls.length === 0)) return null;
  const isText = part.type === 'text' && part.logprobs === null;
  if (!isText && !(part.type === 'reasoning' && part.encrypted === null)) return null;
  const { type, text } = part;
  const key = (isText ? TEXT_KEYS : REASONING_KEYS).find((each) => delta[each] === text);
  return key === undefined ? null : { key, text, type };
}

const TEXT_KEYS = ['content'];
const REASONING_KEYS = ['reasoning_content', 'reasoning'];

const FINISH_REASONS: ReadonlyMap<string | null, FinishReason> = new Map([
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['content_filter', 'content_filter'],
]);

/** `stop`, `eos`, `tool_calls`, '' and whatever else a provider invents: the model was done. */
function toFinishReason(raw: string | null): FinishReason {
  return FINISH_REASONS.get(raw) ?? 'stop';
}

/** Content is a string, or parts of which some are thoughts (Mistral). */
function contentOf(content: unknown): { readonly text: string; readonly thinking: string } {
  if (typeof content === 'string') return { text: content, thinking: '' };
  let text = '';
  let thinking = '';
  for (const each of asArray(content)) {
    const part = asObject(each) ?? {};
    if (part['type'] !== 'thinking') text += asText(part['text']);
    else if (typeof part['thinking'] === 'string') thinking += part['thinking'];
    else for (const thought of asArray(part['thinking'])) thinking += asText(asObject(thought)?.['text']);
  }
  return { text, thinking };
}

/** Providers say the same thought under several names at once: the first that says anything counts. */
function readReasoning(delta: Json, thinking: string, parts: ModelPart[]): void {
  let details = '';
  let encrypted: string | null = null;
  for (const each of asArray(delta['reasoning_details'])) {
    const detail = asObject(each) ?? {};
    if (detail['type'] === 'reasoning.encrypted') encrypted = asText(detail['data']) || encrypted;
    else details += asText(detail['text']) || asText(detail['summary']);
  }
  const text = asText(delta['reasoning_content']) || asText(delta['reasoning']) || details || thinking;
  if (text !== '' || encrypted !== null) parts.push({ type: 'reasoning', text, encrypted });
}

function toAnnotation(raw: unknown): Annotation | null {
  const citation = asObject(asObject(raw)?.['url_citation']);
  const url = asText(citation?.['url']);
  if (citation === null || url === '') return null;
  const startIndex = asInt(citation['start_index']) ?? 0;
  const endIndex = Math.max(startIndex, asInt(citation['end_index']) ?? 0);
  return { type: 'url_citation', url, title: asText(citation['title']) || null, startIndex, endIndex };
}

function toUsage(raw: unknown): Usage | null {
  const usage = asObject(raw);
  if (usage === null) return null;
  const inputTokens = asInt(usage['prompt_tokens']) ?? 0;
  const outputTokens = asInt(usage['completion_tokens']) ?? 0;
  const input = asObject(usage['prompt_tokens_details']);
  const output = asObject(usage['completion_tokens_details']);
  return {
    inputTokens,
    cachedInputTokens: asInt(input?.['cached_tokens']) ?? asInt(usage['prompt_cache_hit_tokens']) ?? 0,
    outputTokens,
    reasoningTokens: asInt(output?.['reasoning_tokens']) ?? asInt(usage['reasoning_tokens']) ?? 0,
    totalTokens: asInt(usage['total_tokens']) ?? inputTokens + outputTokens,
  };
}

function toLogprobs(raw: unknown): readonly TokenLogprob[] | null {
  const content = asObject(raw)?.['content'];
  if (!Array.isArray(content)) return null;
  return content.flatMap((each) => {
    const token = toLogprob(each);
    if (token === null) return [];
    const top = asArray(asObject(each)?.['top_logprobs']).flatMap((other) => toLogprob(other) ?? []);
    return [{ ...token, top }];
  });
}

function toLogprob(raw: unknown): TopLogprob | null {
  const entry = asObject(raw);
  const logprob = asNumber(entry?.['logprob']);
  if (entry === null || logprob === null) return null;
  const bytes = entry['bytes'];
  return {
    token: asText(entry['token']),
    logprob,
    bytes: Array.isArray(bytes) ? bytes.flatMap((byte) => asInt(byte) ?? []) : null,
  };
}
