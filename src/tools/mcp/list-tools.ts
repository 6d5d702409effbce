import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { McpTool } from '../../protocol/tools.ts';
import { ToolFailure } from '../tool-failure.ts';
import { isDeeper, jsonSize } from './json-size.ts';
import type { McpSession } from './session.ts';

const MAX_TOOLS = 2000;
const MAX_PAGES = 100;
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_LEVELS = 100;

// Without a look at the elements, of which there may be too many.
const Page = z.object({
  tools: z.custom<readonly unknown[]>(Array.isArray),
  nextCursor: z.string().catch(''),
});

const Usable = z.record(z.string(), z.unknown()).refine((value) => !isDeeper(value, MAX_LEVELS));

const Tool = z.object({
  name: z.string(),
  description: z.string().nullable().catch(null),
  // The model's server is sent all tools at once and would refuse them all for one such schema. Arguments for a tool
  // that is offered without one can still be guessed from its description.
  inputSchema: Usable.catch({ type: 'object' }),
  annotations: Usable.nullable().catch(null),
});

/**
 * Every page of a server's tools, schemas and annotations as it wrote them, unless they are of no use. What has no
 * name is left out, as is the second of two tools with one name. `clean` is applied to each tool.
 *
 * @throws ToolFailure `protocol` for a list without an end, or a larger one than any model could be shown; what the
 * session throws
 */
export async function listTools(
  session: McpSession,
  clean: (tool: unknown) => unknown,
  signal: AbortSignal,
): Promise<readonly McpTool[]> {
  const tools = new Map<string, McpTool>();
  const cursors = new Set<string>();
  let cursor = '';
  let left = MAX_TOOLS;
  let bytesLeft = MAX_BYTES;
  do {
    const page = await readPage(session, cursor, signal);
    left -= page.tools.length;
    if (left < 0) throw endless();
    bytesLeft -= jsonSize(page, bytesLeft);
    if (bytesLeft < 0) {
      throw new ToolFailure('protocol', `The list of tools has more than ${MAX_BYTES} bytes.`);
    }
    for (const each of page.tools) {
      const { success, data } = Tool.safeParse(each);
      if (!success) continue;
      const tool = Tool.parse(clean(data));
      if (!tools.has(tool.name)) tools.set(tool.name, tool);
    }
    cursor = page.nextCursor;
    if (cursors.has(cursor) || (cursor !== '' && cursors.size + 1 >= MAX_PAGES)) throw endless();
    cursors.add(cursor);
  } while (cursor !== '');
  return [...tools.values()];
}

function endless(): ToolFailure {
  return new ToolFailure('protocol', `The list of tools does not end, or has more than ${MAX_TOOLS}.`);
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
