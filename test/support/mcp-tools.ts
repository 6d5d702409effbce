import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { McpError } from '@modelcontextprotocol/sdk/types.js';

export type Json = { readonly [key: string]: unknown };

/** The tools of a server, by their names. */
export type ScriptedTools = { readonly [name: string]: ScriptedTool };

export interface ScriptedTool {
  readonly description?: string;
  readonly inputSchema?: unknown;
  readonly annotations?: Json;
  /**
   * Default: the text "ok". May give a text, the blocks of a content, or a whole result, none of which is checked;
   * may throw, an McpError to have its code; may wait, for as long as it likes.
   */
  readonly run?: (args: Json, call: ToolCall) => ToolAnswer | Promise<ToolAnswer>;
}

export type ToolAnswer = string | readonly object[] | Json;

/** One call as the server received it. */
export interface ToolCall {
  readonly name: string;
  readonly args: Json;
  /** Aborted when the client cancels the call. */
  readonly signal: AbortSignal;
  /** Absent if the client did not ask for progress. */
  readonly progressToken: string | number | undefined;
  /** Reports progress to the client. */
  report(progress: number): Promise<void>;
  /** Ends the stream of the answer; a client that knows its last event may ask for the rest. */
  closeStream(): void;
}

export interface Script {
  readonly options: {
    readonly tools?: ScriptedTools;
    readonly pageSize?: number;
    readonly list?: (cursor: string | undefined) => object;
  };
  readonly onCall: (call: ToolCall) => void;
}

/** The protocol's side of one session. Its answers are not checked, as the SDK would do for what it knows. */
export function answerRequests({ options, onCall }: Script): Server {
  const server = new Server({ name: 'scripted', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.fallbackRequestHandler = async ({ method, params = {} }, extra) => {
    if (method === 'tools/list') return { ...listPage(options, params['cursor']) };
    if (method !== 'tools/call') throw new McpError(-32_601, `No method ${method}`);
    const name = String(params['name']);
    const { progressToken } = extra._meta ?? {};
    const call: ToolCall = {
      name,
      args: (params['arguments'] ?? {}) as Json,
      signal: extra.signal,
      progressToken,
      closeStream: () => extra.closeSSEStream?.(),
      async report(progress) {
        if (progressToken === undefined) return;
        await extra.sendNotification({
          method: 'notifications/progress',
          params: { progress, progressToken },
        });
      },
    };
    onCall(call);
    const tool = options.tools?.[name];
    if (tool === undefined) throw new McpError(-32_602, `No tool ${name}`);
    return toResult((await tool.run?.(call.args, call)) ?? 'ok');
  };
  return server;
}

function listPage({ tools = {}, pageSize, list }: Script['options'], cursor: unknown): object {
  if (list !== undefined) return list(typeof cursor === 'string' ? cursor : undefined);
  const all = Object.entries(tools).map(([name, { run: _, ...tool }]) => ({
    name,
    inputSchema: { type: 'object' },
    ...tool,
  }));
  const from = Number(cursor ?? 0);
  const to = from + (pageSize ?? all.length);
  return { tools: all.slice(from, to), ...(to < all.length && { nextCursor: String(to) }) };
}

function toResult(answer: ToolAnswer): Json {
  if (typeof answer === 'string') return { content: [{ type: 'text', text: answer }] };
  return isContent(answer) ? { content: answer } : answer;
}

function isContent(answer: readonly object[] | Json): answer is readonly object[] {
  return Array.isArray(answer);
}
