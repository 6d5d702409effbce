import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../support/chat-server.ts';
import { play } from '../support/play.ts';

/** Recorded answers of many providers, kept outside this repository. Their README says what `expect` means. */
const FOLDER = join(import.meta.dirname, '../../../shared/recordings');

interface Recording {
  readonly kind: 'stream' | 'json' | 'error';
  readonly status: number;
  readonly content_type?: string;
  readonly wire?: { readonly format: 'sse-lines' | 'json-lines' | 'objects' };
  readonly chunks?: readonly unknown[];
  readonly body?: unknown;
  readonly body_raw?: string;
  readonly expect: {
    readonly text?: string;
    readonly reasoning?: string;
    readonly refusal?: string;
    readonly tool_calls?: readonly { id: string | null; name: string; arguments: string }[];
    readonly finish_reason?: string | null;
    readonly usage_normalised?: {
      readonly prompt_tokens: number | null;
      readonly completion_tokens: number | null;
      readonly total_tokens: number | null;
      readonly cached_tokens: number | null;
      readonly reasoning_tokens: number | null;
    } | null;
    readonly error?: { readonly message?: string; readonly code?: unknown } | null;
    readonly message?: string;
  };
}

const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith('.json')) : [];

if (files.length === 0)
  test.skip('recorded answers of providers: their folder is not beside this one', () => {});

describe.skipIf(files.length === 0)('recorded answers of providers', () => {
  test.each(files)('%s', async (file) => {
    const recording = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Recording;
    const { expect: wanted } = recording;
    const heard = await play(answerOf(recording));

    if (recording.kind === 'error') {
      expect(squeeze(heard.error?.message)).toBe(squeeze(wanted.message).slice(0, 500));
      expect(heard.error?.code).toBe(codeFor(recording.status, wanted.message ?? ''));
      return;
    }
    expect(heard.text).toBe(wanted.text ?? '');
    expect(heard.reasoning).toBe(wanted.reasoning ?? '');
    expect(heard.refusal).toBe(wanted.refusal ?? '');
    expect(heard.calls).toEqual(
      (wanted.tool_calls ?? []).map(({ id, name, arguments: json }) => [id, name, json]),
    );
    expect(heard.usage).toEqual(toUsage(wanted.usage_normalised));
    if (wanted.error) {
      expect(heard.error?.message).toBe(wanted.error.message);
      expect(heard.error?.code).toBe('invalid_prompt');
    } else {
      expect(heard.error).toBeNull();
      expect(heard.finish).toBe(finishFor(wanted.finish_reason ?? null));
    }
  });
});

function answerOf(recording: Recording): Answer {
  return ({ answer }) => {
    const type =
      recording.content_type ?? (recording.kind === 'stream' ? 'text/event-stream' : 'application/json');
    answer.writeHead(recording.status, { 'content-type': type, 'retry-after-ms': '1' });
    answer.end(bytesOf(recording));
  };
}

function bytesOf({ wire, chunks = [], body, body_raw }: Recording): string {
  switch (wire?.format) {
    case 'sse-lines':
      return chunks.join('\n');
    case 'json-lines':
      return `${chunks.map((each) => `data: ${each}\n\n`).join('')}data: [DONE]\n\n`;
    case 'objects':
      return `${chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('')}data: [DONE]\n\n`;
    default:
      return body_raw ?? JSON.stringify(body);
  }
}

function toUsage(usage: Recording['expect']['usage_normalised']) {
  if (!usage) return null;
  return {
    inputTokens: usage.prompt_tokens ?? 0,
    cachedInputTokens: usage.cached_tokens ?? 0,
    outputTokens: usage.completion_tokens ?? 0,
    reasoningTokens: usage.reasoning_tokens ?? 0,
    totalTokens: usage.total_tokens ?? 0,
  };
}

function finishFor(raw: string | null) {
  return raw === 'length' || raw === 'content_filter' ? raw : 'stop';
}

function codeFor(status: number, message: string) {
  if (status === 429) return 'rate_limit_exceeded';
  if (status === 401 || status === 403 || status >= 500) return 'server_error';
  return /context/.test(message) ? 'context_length_exceeded' : 'invalid_prompt';
}

/** A list of details is shown as JSON, whatever its spacing. */
function squeeze(text: string | undefined): string {
  return (text ?? '').replace(/(?<=[:,]) /g, '');
}
