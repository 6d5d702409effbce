import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { McpTool } from '../../protocol/tools.ts';
import { ToolFailure } from '../tool-failure.ts';
import type { McpSession } from './session.ts';

const MAX_TOOLS = 2000;

const Page = z.object({ tools: z.array(z.unknown()), nextCursor: z.string().catch('') });

const Tool = z.object({
  name: z.string(),
  description: z.string().nullable().catch(null),
  inputSchema: z
    .unknown()
    .optional()
    .transform((schema) => schema ?? { type: 'object' }),
  annotations: z.record(z.string(), z.unknown()).nullable().catch(null),
});

/**
 * Every page of a server's tools, schemas and annotations as it wrote them. What has no name is left out, as is the
 * second of two tools with one name. `clean` is applied to each tool.
 *
 * @throws ToolFailure `protocol` for a list without an end; what the session throws
 */
export async function listTools(
  session: McpSession,
  clean: (tool: unknown) => unknown,
  signal: AbortSignal,
): Promise<readonly McpTool[]> {
  const tools = new Map<string, McpTool>();
  const cursors = new Set<string>();
  let cursor = '';
  do {
    const page = await readPage(session, cursor, signal);
    for (const each of page.tools) {
      const { success, data } = Tool.safeParse(clean(each));
      if (success && !tools.has(data.name)) tools.set(data.name, data);
    }
    cursor = page.nextCursor;
    if (cursors.has(cursor) || cursors.size > MAX_TOOLS || tools.size > MAX_TOOLS) {
      throw new ToolFailure('protocol', `The list of tools does not end, or has more than ${MAX_TOOLS}.`);
    }
    cursors.add(cursor);
  } while (cursor !== '');
  return [...tools.values()];
}

async function readPage(
  session: McpSession,
  cursor: string,
  signal: AbortSignal,
): Promise<z.output<typeof Page>> {
  const params = cursor === '' ? {} : { cursor };
  try {
    return await session.request({ request: { method: 'tools/list', params }, schema: Page }, signal);
  } catch (error) {
    const hasNone = error instanceof McpError && error.code === ErrorCode.MethodNotFound && !session.hasTools;
    if (hasNone) return { tools: [], nextCursor: '' };
    throw error;
  }
}
