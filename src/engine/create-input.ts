import { z } from 'zod';

/**
 * The input of createResponse as it comes through GraphQL, and the rules for each field alone. GraphQL has
 * checked names, types and `@oneOf`; ranges, lengths and formats are checked here, so that every path of an
 * error is a path in the caller's own input.
 */

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** Text for a column or an index: Postgres takes no NUL there, and a lone surrogate would not come back as it was. */
const indexable = z
  .string()
  .refine(
    (text) => !text.includes('\0') && text.isWellFormed(),
    'must not hold NUL characters or lone surrogates.',
  );

const name = z.string().regex(NAME, 'must be 1 to 64 letters, digits, "_" or "-".');

const between = (low: number, high: number) => {
  const error = `must be from ${low} to ${high}.`;
  return z.number(error).min(low, error).max(high, error).nullish();
};

const jsonObject = z
  .unknown()
  .pipe(
    z.custom<{ readonly [key: string]: unknown }>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      'must be a JSON object.',
    ),
  );

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
});

const functionTool = z.object({
  name,
  description: z.string().nullish(),
  parameters: jsonObject.nullish(),
  strict: z.boolean().nullish(),
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
  tools: z.array(z.object({ function: functionTool.nullish() })).nullish(),
  toolChoice: z
    .object({
      mode: z.enum(['none', 'auto', 'required']).nullish(),
      function: z.string().nullish(),
      allowedTools: z
        .object({
          mode: z.enum(['auto', 'required']),
          tools: z.array(z.object({ function: z.string().nullish() })).min(1, 'must not be empty.'),
        })
        .nullish(),
    })
    .nullish(),
  parallelToolCalls: z.boolean(),
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
