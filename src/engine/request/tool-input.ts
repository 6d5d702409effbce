import { z } from 'zod';
import { TOOL_NAME } from '../../protocol/tools.ts';
import { asObject } from '../../util/json.ts';

/** The rules for the tools of a request, each field alone. */

export const name = z.string().regex(TOOL_NAME, 'must be 1 to 64 letters, digits, "_" or "-".');

/** A value that GraphQL has let through as an object. */
export const plainObject = z.custom<{ readonly [key: string]: unknown }>(
  (value) => asObject(value) !== null,
  'must be a JSON object.',
);

/** Any value of GraphQL's, which must be an object. */
export const jsonObject = z.unknown().pipe(plainObject);

const functionTool = z.object({
  name,
  description: z.string().nullish(),
  parameters: jsonObject.nullish(),
  strict: z.boolean().nullish(),
});

const webSearch = z.object({
  searchContextSize: z.enum(['low', 'medium', 'high']).nullish(),
  allowedDomains: z.array(z.string().min(1, 'must not be empty.')).nullish(),
  userLocation: z
    .object({
      city: z.string().nullish(),
      country: z
        .string()
        .regex(/^[A-Za-z]{2}$/, 'must be two letters, e.g. "DE".')
        .nullish(),
      region: z.string().nullish(),
      timezone: z.string().nullish(),
    })
    .nullish(),
});

const toolFilter = z.object({
  toolNames: z.array(z.string()).nullish(),
  excludedToolNames: z.array(z.string()).nullish(),
  readOnly: z.boolean().nullish(),
});

const MAX_HEADERS = 64;

/** Headers that belong to the connection or to the protocol, and not to the caller. */
const OWN_HEADERS =
  /^(accept|connection|content-.*|cookie2?|expect|host|keep-alive|last-event-id|mcp-(session-id|protocol-version)|origin|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

/** The messages name the header and never its value, which is a secret. */
function wrongWithHeader(key: string, value: unknown): string | null {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(key)) return 'is not the name of a header.';
  if (OWN_HEADERS.test(key)) return 'is a header that the server sets itself.';
  if (typeof value !== 'string') return 'must be a string.';
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? null : 'holds characters that no header can hold.';
}

const headers = jsonObject.superRefine((value, context) => {
  if (Object.keys(value).length > MAX_HEADERS)
    context.addIssue({ code: 'custom', message: `must be at most ${MAX_HEADERS}.` });
  const seen = new Set<string>();
  for (const [key, entry] of Object.entries(value)) {
    const isTwice = seen.has(key.toLowerCase());
    seen.add(key.toLowerCase());
    const message = isTwice ? 'is given twice.' : wrongWithHeader(key, entry);
    if (message !== null) context.addIssue({ code: 'custom', message, path: [key] });
  }
});

const mcpServer = z
  .object({
    serverLabel: name,
    serverUrl: z.string().superRefine((text, context) => {
      const url = URL.parse(text);
      const message =
        url === null || !/^https?:$/.test(url.protocol)
          ? 'must be an http or https URL.'
          : url.username !== '' || url.password !== ''
            ? 'must not hold a user or password: give them as authorization.'
            : null;
      if (message !== null) context.addIssue({ code: 'custom', message });
    }),
    serverDescription: z.string().nullish(),
    headers: headers.nullish(),
    authorization: z
      .string()
      .refine(
        (text) => /^[\x20-\x7e]+$/.test(text),
        'must not be empty, nor hold characters that no header can hold.',
      )
      .nullish(),
    allowedTools: toolFilter.nullish(),
    requireApproval: z
      .object({
        mode: z.enum(['always', 'never']).nullish(),
        filter: z.object({ always: toolFilter.nullish(), never: toolFilter.nullish() }).nullish(),
      })
      .nullish(),
  })
  .superRefine(({ headers: given, authorization }, context) => {
    const isTwice = Object.keys(given ?? {}).some((key) => key.toLowerCase() === 'authorization');
    if (isTwice && typeof authorization === 'string') {
      const message = 'is given twice: here and among the headers.';
      context.addIssue({ code: 'custom', message, path: ['authorization'] });
    }
  });

/** Each is a session of its own. */
const MAX_SERVERS = 32;

export const tools = z
  .array(
    z.object({ function: functionTool.nullish(), webSearch: webSearch.nullish(), mcp: mcpServer.nullish() }),
  )
  .refine(
    (list) => list.filter(({ mcp }) => mcp).length <= MAX_SERVERS,
    `must hold at most ${MAX_SERVERS} MCP servers.`,
  );

const mcpChoice = z.object({ serverLabel: z.string(), name: z.string().nullish() });
const hosted = z.enum(['web_search']);

export const toolChoice = z.object({
  mode: z.enum(['none', 'auto', 'required']).nullish(),
  function: z.string().nullish(),
  mcp: mcpChoice.nullish(),
  hosted: hosted.nullish(),
  allowedTools: z
    .object({
      mode: z.enum(['auto', 'required']),
      tools: z
        .array(
          z.object({
            function: z.string().nullish(),
            mcp: mcpChoice.nullish(),
            hosted: hosted.nullish(),
          }),
        )
        .min(1, 'must not be empty.'),
    })
    .nullish(),
});
