import { z } from 'zod';
import { jsonObject, name, plainObject, toolChoice, tools } from './tool-input.ts';

/**
 * The input of createResponse as it comes through GraphQL, and the rules for each field alone. GraphQL has
 * checked names, types and `@oneOf`; ranges, lengths and formats are checked here, so that every path of an
 * error is a path in the caller's own input.
 */

/** Text for a column or an index: Postgres takes no NUL there, and a lone surrogate would not come back as it was. */
const indexable = z
  .string()
  .refine(
    (text) => !text.includes('\0') && text.isWellFormed(),
    'must not hold NUL characters or lone surrogates.',
  );

const between = (low: number, high: number) => {
  const error = `must be from ${low} to ${high}.`;
  return z.number(error).min(low, error).max(high, error).nullish();
};

const webOrDataUrl = z.string().refine((text) => {
  const protocol = URL.parse(text)?.protocol;
  return protocol === 'http:' || protocol === 'https:' || protocol === 'data:';
}, 'must be an http, https or data URL.');

const httpUrl = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'must be an http or https URL.');

const dataUrl = z.string().refine((text) => URL.parse(text)?.protocol === 'data:', 'must be a data URL.');

const part = z.object({
  text: z.string().nullish(),
  image: z.object({ imageUrl: webOrDataUrl, detail: z.enum(['auto', 'low', 'high', 'original']) }).nullish(),
  file: z
    .object({
      filename: z.string().nullish(),
      source: z.object({ fileData: dataUrl.nullish(), fileUrl: httpUrl.nullish() }),
    })
    .nullish(),
  refusal: z.string().nullish(),
});

const textOrParts = z.object({
  text: z.string().nullish(),
  parts: z.array(part).min(1, 'must not be empty.').nullish(),
});

const inputItem = z.object({
  itemReference: z.string().nullish(),
  message: z
    .object({ role: z.enum(['user', 'system', 'developer', 'assistant']), content: textOrParts })
    .nullish(),
  functionCall: z
    .object({ callId: z.string().min(1, 'must not be empty.'), name: z.string(), arguments: z.string() })
    .nullish(),
  functionCallOutput: z
    .object({ callId: z.string().min(1, 'must not be empty.'), output: textOrParts })
    .nullish(),
  reasoning: z
    .object({
      content: z.array(z.string()).nullish(),
      summary: z.array(z.string()).nullish(),
      encryptedContent: z.string().nullish(),
    })
    .nullish(),
  mcpApprovalResponse: z
    .object({ approvalRequestId: z.string(), approve: z.boolean(), reason: z.string().nullish() })
    .nullish(),
  webSearchCall: z
    .object({
      query: z.string(),
      sources: z.array(z.object({ url: httpUrl, title: z.string().nullish() })).nullish(),
    })
    .nullish(),
  mcpListTools: z
    .object({
      serverLabel: z.string(),
      tools: z.array(
        z.object({
          name: z.string().min(1, 'must not be empty.'),
          description: z.string().nullish(),
          inputSchema: jsonObject,
          annotations: plainObject.nullish(),
        }),
      ),
    })
    .nullish(),
  mcpCall: z
    .object({
      serverLabel: z.string(),
      name: z.string(),
      arguments: z.string(),
      output: z.string().nullish(),
      error: z.string().nullish(),
    })
    .nullish(),
});

function wrongWithPair(key: string, value: unknown): string | null {
  if (typeof value !== 'string') return 'must be a string.';
  if (key.length > 64) return 'must have a key of at most 64 characters.';
  if (value.length > 512) return 'must be at most 512 characters.';
  return indexable.safeParse(key + value).success ? null : 'must not hold NUL characters or lone surrogates.';
}

const metadata = jsonObject.superRefine((value, context) => {
  const pairs = Object.entries(value);
  if (pairs.length > 16) context.addIssue({ code: 'custom', message: 'must be at most 16 pairs.' });
  for (const [key, entry] of pairs) {
    const message = wrongWithPair(key, entry);
    if (message !== null) context.addIssue({ code: 'custom', message, path: [key] });
  }
});

export const CreateInputRules = z.object({
  model: indexable.min(1, 'must not be empty.').max(256, 'must be at most 256 characters.').nullish(),
  input: z.object({
    text: z.string().nullish(),
    items: z.array(inputItem).min(1, 'must not be empty.').nullish(),
  }),
  instructions: z.string().nullish(),
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
              description: z.string().nullish(),
              schema: jsonObject,
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
  serviceTier: z.string().nullish(),
  safetyIdentifier: z.string().nullish(),
  promptCacheKey: z.string().nullish(),
  idempotencyKey: indexable
    .min(1, 'must not be empty.')
    .max(256, 'must be at most 256 characters.')
    .nullish(),
});

/** The input of createResponse, its enums in the engine's own spelling. */
export type CreateInput = z.input<typeof CreateInputRules>;

/** The same after the rules have passed. */
export type CheckedInput = z.output<typeof CreateInputRules>;
