import { z } from 'zod';
import { TOOL_NAME } from '../../protocol/tools.ts';
import { jsonObject, keptObject, list, someText, text, webUrl } from './fields.ts';
import * as limits from './sizes.ts';

/** The rules for the tools of a request, each field alone. */

export const name = z.string().regex(TOOL_NAME, 'must be 1 to 64 letters, digits, "_" or "-".');

const functionTool = z.object({
  name,
  description: text(limits.MAX_DESCRIPTION).nullish(),
  parameters: keptObject.nullish(),
  strict: z.boolean().nullish(),
});

const webSearch = z.object({
  searchContextSize: z.enum(['low', 'medium', 'high']).nullish(),
  allowedDomains: list(someText(limits.MAX_NAME), limits.MAX_DOMAINS).nullish(),
  userLocation: z
    .object({
      city: text(limits.MAX_LABEL).nullish(),
      country: z
        .string()
        .regex(/^[A-Za-z]{2}$/, 'must be two letters, e.g. "DE".')
        .nullish(),
      region: text(limits.MAX_LABEL).nullish(),
      timezone: text(limits.MAX_LABEL).nullish(),
    })
    .nullish(),
});

const filterNames = list(text(limits.MAX_NAME), limits.MAX_FILTER_NAMES).nullish();

const toolFilter = z.object({
  toolNames: filterNames,
  excludedToolNames: filterNames,
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
  if (value.length > limits.MAX_HEADER) return `must be at most ${limits.MAX_HEADER} characters.`;
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? null : 'holds characters that no header can hold.';
}

const headers = jsonObject.superRefine((value, context) => {
  if (Object.keys(value).length > MAX_HEADERS)
    context.addIssue({ code: 'custom', message: `must be at most ${MAX_HEADERS}.` });
  const seen = new Set<string>();
  for (const [key, entry] of Object.entries(value).slice(0, MAX_HEADERS)) {
    const isTwice = seen.has(key.toLowerCase());
    seen.add(key.toLowerCase());
    const message = isTwice ? 'is given twice.' : wrongWithHeader(key, entry);
    if (message !== null) context.addIssue({ code: 'custom', message, path: [key.slice(0, 128)] });
  }
});

const mcpServer = z
  .object({
    serverLabel: name,
    serverUrl: webUrl.refine((value) => {
      const { username = '', password = '' } = URL.parse(value.slice(0, limits.MAX_URL)) ?? {};
      return username + password === '';
    }, 'must not hold a user or password: give them as authorization.'),
    serverDescription: text(limits.MAX_DESCRIPTION).nullish(),
    headers: headers.nullish(),
    authorization: text(limits.MAX_HEADER)
      .refine(
        (value) => /^[\x20-\x7e]+$/.test(value),
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

export const tools = list(
  z.object({ function: functionTool.nullish(), webSearch: webSearch.nullish(), mcp: mcpServer.nullish() }),
  limits.MAX_TOOLS,
).refine(
  (all) => all.filter(({ mcp }) => mcp).length <= limits.MAX_MCP_SERVERS,
  `must hold at most ${limits.MAX_MCP_SERVERS} MCP servers.`,
);

const mcpChoice = z.object({ serverLabel: z.string(), name: text(limits.MAX_NAME).nullish() });
const hosted = z.enum(['web_search']);

export const toolChoice = z.object({
  mode: z.enum(['none', 'auto', 'required']).nullish(),
  function: z.string().nullish(),
  mcp: mcpChoice.nullish(),
  hosted: hosted.nullish(),
  allowedTools: z
    .object({
      mode: z.enum(['auto', 'required']),
      tools: list(
        z.object({ function: z.string().nullish(), mcp: mcpChoice.nullish(), hosted: hosted.nullish() }),
        limits.MAX_FILTER_NAMES,
      ).min(1, 'must not be empty.'),
    })
    .nullish(),
});
