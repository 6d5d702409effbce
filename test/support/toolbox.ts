import type {
  AllowedTool,
  FunctionTool,
  McpServerTool,
  McpTool,
  Tool,
  ToolChoice,
  WebSearchTool,
} from '../../src/protocol/tools.ts';
import { createToolbox, type Toolbox } from '../../src/tools/toolbox.ts';

export const FIRST = { first: true, serverRun: true };
export const LATER = { first: false, serverRun: true };
export const USED_UP = { first: true, serverRun: false };

export const search: WebSearchTool = {
  type: 'web_search',
  searchContextSize: null,
  allowedDomains: [],
  userLocation: null,
};

export function fn(name: string, more: Partial<FunctionTool> = {}): FunctionTool {
  return { type: 'function', name, description: null, parameters: null, strict: null, ...more };
}

export function server(serverLabel: string, more: Partial<McpServerTool> = {}): McpServerTool {
  return {
    type: 'mcp',
    serverLabel,
    serverUrl: 'https://mcp.example/',
    serverDescription: null,
    headerNames: [],
    allowedTools: null,
    requireApproval: { mode: 'never', always: null, never: null },
    ...more,
  };
}

export function listed(name: string, more: Partial<McpTool> = {}): McpTool {
  return { name, description: null, inputSchema: { type: 'object' }, annotations: null, ...more };
}

type Listings = { readonly [label: string]: readonly string[] };

/** A toolbox of these tools; `listings` names the tools of each server. */
export function toolbox(
  tools: readonly Tool[],
  listings: Listings = {},
  choice: ToolChoice = { mode: 'auto' },
) {
  const byLabel = Object.entries(listings).map(
    ([label, names]) => [label, names.map((name) => listed(name))] as const,
  );
  return createToolbox({ tools, listings: new Map(byLabel), choice });
}

export function shownBy(box: Toolbox, round = FIRST): readonly string[] {
  return box.offer(round).tools.map(({ name }) => name);
}

/** What each shown name stands for, as `label/tool`. */
export function origins(box: Toolbox): readonly (readonly [string, string])[] {
  return shownBy(box).map((name) => {
    const route = box.route(name);
    return [name, route.kind === 'mcp' ? `${route.server.serverLabel}/${route.tool.name}` : route.kind];
  });
}

export function of(serverLabel: string, name: string | null): ToolChoice {
  return { mode: 'mcp', serverLabel, name };
}

export function allowing(
  allowedToolsMode: 'auto' | 'required',
  ...allowedTools: readonly AllowedTool[]
): ToolChoice {
  return { mode: 'allowed_tools', allowedToolsMode, allowedTools };
}
