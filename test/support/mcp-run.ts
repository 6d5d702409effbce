import type { InputPart } from '../../src/protocol/content.ts';
import type { JsonObject, McpServerTool, McpTool } from '../../src/protocol/tools.ts';
import { createMcpServers, type Fetch } from '../../src/tools/mcp-servers.ts';
import { ToolFailure } from '../../src/tools/tool-failure.ts';

export interface McpRunOptions {
  readonly authorization?: string;
  readonly headers?: { readonly [name: string]: string };
  /** Default: 5 s. */
  readonly timeoutMs?: number;
  /** Default: the platform's. */
  readonly fetch?: Fetch;
}

/** A run with one MCP server, which is closed with it. */
export interface McpRun extends AsyncDisposable {
  list(signal?: AbortSignal): Promise<readonly McpTool[]>;
  connect(signal?: AbortSignal): Promise<void>;
  call(name: string, args?: JsonObject, signal?: AbortSignal): Promise<readonly InputPart[]>;
  close(): Promise<void>;
}

export function startMcpRun(
  { url }: { readonly url: string },
  { authorization, headers = {}, timeoutMs = 5000, fetch: send = fetch }: McpRunOptions = {},
): McpRun {
  const secrets = new Map([['test', { headers, authorization: authorization ?? null }]]);
  const servers = createMcpServers({ fetch: send, secrets, timeoutMs });
  const server = serverTool(url);
  const never = new AbortController().signal;
  return {
    list: (signal = never) => servers.list(server, signal),
    connect: (signal = never) => servers.connect(server, signal),
    call: (name, args = {}, signal = never) => servers.call(server, { name, args }, signal),
    close: servers.close,
    [Symbol.asyncDispose]: servers.close,
  };
}

/** The failure that a promise rejects with. Throws if it does not, or rejects with anything else. */
export async function failureOf(promise: Promise<unknown>): Promise<ToolFailure> {
  const outcome = await promise.then(
    (value) => new Error(`Not rejected, but resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (outcome instanceof ToolFailure) return outcome;
  throw outcome;
}

function serverTool(serverUrl: string): McpServerTool {
  return {
    type: 'mcp',
    serverLabel: 'test',
    serverUrl,
    serverDescription: null,
    headerNames: [],
    allowedTools: null,
    requireApproval: { mode: 'never', always: null, never: null },
  };
}
