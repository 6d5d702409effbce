import { z } from 'zod';
import {
  dataUrl,
  indexable,
  isIndexable,
  jsonObject,
  keptObject,
  keptPlainObject,
  list,
  someText,
  text,
  webOrDataUrl,
  webUrl,
} from './fields.ts';
import * as limits from './sizes.ts';
import { name, toolChoice, tools } from './tool-input.ts';

/**
 * The input of createResponse as it comes through GraphQL, and the rules for each field alone. GraphQL has
 * checked names, types and `@oneOf`; ranges, lengths and formats are checked here, so that every path of an
 * error is a path in the caller's own input.
 */

const between = (low: number, high: number) => {
  const error = `must be from ${low} to ${high}.`;
  return z.number(error).min(low, error).max(high, error).nullish();
};

const part = z.object({
  text: text().nullish(),
  image: z.object({ imageUrl: webOrDataUrl, detail: z.enum(['auto', 'low', 'high', 'original']) }).nullish(),
  file: z
    .object({
      filename: text(limits.MAX_NAME).nullish(),
      source: z.object({ fileData: dataUrl.nullish(), fileUrl: webUrl.nullish() }),
    })
    .nullish(),
  refusal: text().nullish(),
});

const textOrParts = z.object({
  text: text().nullish(),
  parts: list(part, limits.MAX_PARTS).min(1, 'must not be empty.').nullish(),
});

const inputItem = z.object({
  itemReference: z.string().nullish(),
  message: z
    .object({ role: z.enum(['user', 'system', 'developer', 'assistant']), content: textOrParts })
    .nullish(),
  functionCall: z
    .object({ callId: someText(limits.MAX_CALL_ID), name: text(limits.MAX_NAME), arguments: text() })
    .nullish(),
  functionCallOutput: z.object({ callId: someText(limits.MAX_CALL_ID), output: textOrParts }).nullish(),
  reasoning: z
    .object({
      content: list(text(), limits.MAX_PARTS).nullish(),
      summary: list(text(), limits.MAX_PARTS).nullish(),
      encryptedContent: text().nullish(),
    })
    .nullish(),
  mcpApprovalResponse: z
    .object({
      approvalRequestId: z.string(),
      approve: z.boolean(),
      reason: text(limits.MAX_DESCRIPTION).nullish(),
    })
    .nullish(),
  webSearchCall: z
    .object({
      query: text(limits.MAX_DESCRIPTION),
      sources: list(
        z.object({ url: webUrl, title: text(limits.MAX_NAME).nullish() }),
        limits.MAX_SOURCES,
      ).nullish(),
    })
    .nullish(),
  mcpListTools: z
    .object({
      serverLabel: text(limits.MAX_NAME),
      tools: list(
        z.object({
          name: someText(limits.MAX_NAME),
          description: text(limits.MAX_JSON).nullish(),
          inputSchema: keptObject,
          annotations: keptPlainObject.nullish(),
        }),
        limits.MAX_LISTED_TOOLS,
      ),
    })
    .nullish(),
  mcpCall: z
    .object({
      serverLabel: text(limits.MAX_NAME),
      name: text(limits.MAX_NAME),
      arguments: text(),
      output: text().nullish(),
      error: text(limits.MAX_DESCRIPTION).nullish(),
    })
    .nullish(),
});

function wrongWithPair(key: string, value: unknown): string | null {
  if (typeof value !== 'string') return 'must be a string.';
  if (key.length > 64) return 'must have a key of at most 64 characters.';
  if (value.length > 512) return 'must be at most 512 characters.';
  return isIndexable(key) && isIndexable(value) ? null : 'must not hold NUL characters or lone surrogates.';
}

const metadata = jsonObject.superRefine((value, context) => {
  const pairs = Object.entries(value);
  if (pairs.length > 16) context.addIssue({ code: 'custom', message: 'must be at most 16 pairs.' });
  for (const [key, entry] of pairs.slice(0, 16)) {
    const message = wrongWithPair(key, entry);
    if (message !== null) context.addIssue({ code: 'custom', message, path: [key.slice(0, 100)] });
  }
});

export const CreateInputRules = z.object({
  model: indexable.nullish(),
  input: z.object({
    text: text().nullish(),
    items: list(inputItem, limits.MAX_ITEMS).min(1, 'must not be empty.').nullish(),
  }),
  instructions: text().nullish(),
  previousResponseId: z.string().nullish(),
  tools: tools.nullish(),
  toolChoice: toolChoice.nullish(),
  parallelToolCalls: z.boolean(),
  maxToolCalls: z.number().min(1, 'must be at least 1.').nullish(),
  maxOutputTokens: z.number().min(16, 'must be at least 16.').nullish(),
  temperature: between(0, 2),
  topP: between(0, 1),
  topLogprobs: between(0, 20),
  presencePenalty: between(-2, 2),
  frequencyPenalty: between(-2, 2),
  text: z
    .object({
      format: z
        .object({
          type: z.enum(['text', 'json_object']).nullish(),
          jsonSchema: z
            .object({
              name,
              description: text(limits.MAX_DESCRIPTION).nullish(),
              schema: keptObject,
              strict: z.boolean().nullish(),
            })
            .nullish(),
        })
        .nullish(),
      verbosity: z.enum(['low', 'medium', 'high']).nullish(),
    })
    .nullish(),
  reasoning: z
    .object({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
    })
    .nullish(),
  metadata: metadata.nullish(),
  store: z.boolean(),
  stream: z.boolean(),
  background: z.boolean(),
  truncation: z.enum(['auto', 'disabled']),
  serviceTier: text(limits.MAX_LABEL).nullish(),
  safetyIdentifier: text(limits.MAX_LABEL).nullish(),
  promptCacheKey: text(limits.MAX_LABEL).nullish(),
  idempotencyKey: indexable.nullish(),
});

/** The input of createResponse, its enums in the engine's own spelling. */
export type CreateInput = z.input<typeof CreateInputRules>;

/** The same after the rules have passed. */
export type CheckedInput = z.output<typeof CreateInputRules>;
