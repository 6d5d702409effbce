/** Tools that a request offers to the model. */
export type Tool = FunctionTool | WebSearchTool | McpServerTool;

/** A function that the client runs. */
export interface FunctionTool {
  readonly type: 'function';
  readonly name: string;
  readonly description: string | null;
  /** A JSON schema object, as the client wrote it; null for a function without parameters. */
  readonly parameters: JsonObject | null;
  readonly strict: boolean | null;
}

/** Searching the web, run by this server. */
export interface WebSearchTool {
  readonly type: 'web_search';
  readonly searchContextSize: SearchContextSize | null;
  /** Only results of these domains and what is below them; empty: of all. */
  readonly allowedDomains: readonly string[];
  readonly userLocation: UserLocation | null;
}

export type SearchContextSize = 'low' | 'medium' | 'high';

export interface UserLocation {
  readonly city: string | null;
  /** Two letters, ISO 3166-1. */
  readonly country: string | null;
  readonly region: string | null;
  /** An IANA time zone. */
  readonly timezone: string | null;
}

/** The tools of an MCP server, called by this server. Without its secrets: those live with the run only. */
export interface McpServerTool {
  readonly type: 'mcp';
  readonly serverLabel: string;
  readonly serverUrl: string;
  readonly serverDescription: string | null;
  readonly headerNames: readonly string[];
  /** True if headers or a token came with the request. Tools that earlier versions stored do not say. */
  readonly hasSecrets?: boolean;
  /** Null: every tool. */
  readonly allowedTools: McpToolFilter | null;
  readonly requireApproval: McpApprovalPolicy;
}

/** Matches a tool that fits everything that is given here. */
export interface McpToolFilter {
  readonly toolNames: readonly string[] | null;
  /** Beats `toolNames`. */
  readonly excludedToolNames: readonly string[] | null;
  /** True: tools whose annotations say readOnlyHint; false: those that do not. */
  readonly readOnly: boolean | null;
}

/** Which calls the client must approve. A tool that both filters match, or none, needs approval. */
export interface McpApprovalPolicy {
  readonly mode: 'always' | 'never' | 'filtered';
  readonly always: McpToolFilter | null;
  readonly never: McpToolFilter | null;
}

/** What an MCP server needs to be told, by its label. Never stored, logged or given back. */
export type McpSecrets = ReadonlyMap<string, McpCredentials>;

export interface McpCredentials {
  readonly headers: { readonly [name: string]: string };
  /** A token, or a whole value with its scheme, for the Authorization header. */
  readonly authorization: string | null;
}

/** A tool as an MCP server lists it. */
export interface McpTool {
  readonly name: string;
  readonly description: string | null;
  /** A JSON schema, as the server wrote it. */
  readonly inputSchema: unknown;
  readonly annotations: JsonObject | null;
}

/** A tool as the model is shown it, whoever runs it. */
export interface OfferedTool {
  readonly name: string;
  readonly description: string | null;
  readonly parameters: unknown;
  readonly strict: boolean | null;
}

/** What the model may do with the tools it is shown in one round. */
export type OfferedChoice =
  | { readonly mode: 'none' | 'auto' | 'required' }
  | { readonly mode: 'function'; readonly name: string };

export type JsonObject = { readonly [key: string]: unknown };

export type ToolChoice =
  | { readonly mode: 'none' | 'auto' | 'required' }
  | { readonly mode: 'function'; readonly name: string }
  | { readonly mode: 'mcp'; readonly serverLabel: string; readonly name: string | null }
  | { readonly mode: 'hosted'; readonly hosted: HostedTool }
  | {
      readonly mode: 'allowed_tools';
      readonly allowedToolsMode: 'auto' | 'required';
      readonly allowedTools: readonly AllowedTool[];
    };

export type HostedTool = 'web_search';

export type AllowedTool =
  | { readonly type: 'function'; readonly name: string }
  /** Without a name: every tool of the server. */
  | { readonly type: 'mcp'; readonly serverLabel: string; readonly name: string | null }
  | { readonly type: 'hosted'; readonly hosted: HostedTool };

/** What Chat Completions takes as the name of a tool. */
export const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
export const MAX_TOOL_NAME = 64;

/** The name as far as it is legal; the empty string stays empty, and is not. */
export function toLegalName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_TOOL_NAME);
}
