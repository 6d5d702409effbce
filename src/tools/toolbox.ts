import type {
  AllowedTool,
  McpServerTool,
  McpTool,
  OfferedChoice,
  OfferedTool,
  Tool,
  ToolChoice,
  WebSearchTool,
} from '../protocol/tools.ts';
import { isAllowed, needsApproval } from './mcp-filter.ts';
import { toDemand } from './tool-demand.ts';
import { freeName, nameMcpTools } from './tool-names.ts';
import { WEB_SEARCH_TOOL } from './web-search.ts';

/** Who answers a call: asked once, when the call begins; nobody looks at the name again. */
export type Route =
  /** A function that the client runs. */
  | { readonly kind: 'client' }
  | { readonly kind: 'web_search'; readonly tool: WebSearchTool; readonly calledAs: string }
  | {
      readonly kind: 'mcp';
      readonly server: McpServerTool;
      readonly tool: McpTool;
      readonly needsApproval: boolean;
      /** The name under which the model is shown the tool; its own is in `tool`. */
      readonly calledAs: string;
    }
  /** A name that the model was never offered. */
  | { readonly kind: 'unknown' };

export interface Toolbox {
  /**
   * What the model is shown in a round. `first`: the round in which a forced choice holds; forced again in every
   * round, a call would never end. `serverRun` false: `maxToolCalls` is used up.
   */
  offer(round: { readonly first: boolean; readonly serverRun: boolean }): {
    readonly tools: readonly OfferedTool[];
    readonly choice: OfferedChoice;
  };
  /** Knows what the choice allows, also where a round does not show it; nothing with `none`, whatever the model does. */
  route(name: string): Route;
  /** What `toolChoice` demands and is not there, as a sentence; null if nothing is missing. */
  readonly missing: string | null;
}

export interface ToolboxOptions {
  readonly tools: readonly Tool[];
  /** The tools of each server by its label; a server whose listing failed is absent. */
  readonly listings: ReadonlyMap<string, readonly McpTool[]>;
  readonly choice: ToolChoice;
}

type McpRoute = Extract<Route, { readonly kind: 'mcp' }>;

interface Entry {
  readonly shown: OfferedTool;
  readonly route: Exclude<Route, { readonly kind: 'unknown' }>;
}

/**
 * The only place where a tool is looked up by its name. `allowed_tools` narrows what is offered here, and is not
 * sent upstream: few servers know it, and what a model is not shown it cannot be tempted by.
 */
export function createToolbox({ tools, listings, choice }: ToolboxOptions): Toolbox {
  const offered = toEntries(tools, listings).filter((entry) => isOffered(entry, choice));
  const routes =
    offered.length === 0 ? NONE : new Map(offered.map(({ shown, route }) => [shown.name, route]));
  const demand = toDemand(choice, listings);
  const demanded = demand === null ? [] : offered.filter((entry) => fits(entry, demand.wanted));

  return {
    offer({ first, serverRun }) {
      const isShown = ({ route }: Entry) => serverRun || route.kind === 'client';
      const shown = offered.filter(isShown);
      const tools = shown.map((entry) => entry.shown);
      if (choice.mode === 'none') return { tools, choice: { mode: 'none' } };
      const callable = demanded.filter(isShown).map((entry) => entry.shown);
      const [only] = callable;
      if (!first || demand === null || only === undefined) return { tools, choice: { mode: 'auto' } };
      if (demand.exact) return { tools, choice: { mode: 'function', name: only.name } };
      // "One of these" can be said only by showing no others.
      return { tools: callable, choice: { mode: 'required' } };
    },
    route: (name) => (choice.mode === 'none' ? undefined : routes.get(name)) ?? { kind: 'unknown' },
    missing: demand !== null && demanded.length === 0 ? demand.missing : null,
  };
}

const NONE: ReadonlyMap<string, Route> = new Map();

/** Every tool under the name that the model is shown, in the order of the request. Names do not depend on the choice. */
function toEntries(tools: readonly Tool[], listings: ToolboxOptions['listings']): readonly Entry[] {
  const taken = new Set(tools.flatMap((tool) => (tool.type === 'function' ? [tool.name] : [])));
  const searchName = freeName(WEB_SEARCH_TOOL.name, taken);
  if (tools.some(({ type }) => type === 'web_search')) taken.add(searchName);
  const listed = tools.flatMap((server) =>
    server.type === 'mcp' ? toListed(server, listings).map((tool) => ({ server, tool })) : [],
  );
  const byServer = Map.groupBy(nameMcpTools(listed, taken), ({ server }) => server);

  return tools.flatMap((tool): readonly Entry[] => {
    switch (tool.type) {
      case 'function': {
        const { name, description, parameters, strict } = tool;
        return [{ shown: { name, description, parameters, strict }, route: { kind: 'client' } }];
      }
      case 'web_search': {
        const route = { kind: 'web_search' as const, tool, calledAs: searchName };
        return [{ shown: { ...WEB_SEARCH_TOOL, name: searchName }, route }];
      }
      case 'mcp':
        return (byServer.get(tool) ?? []).map(toMcpEntry);
      default:
        return tool satisfies never;
    }
  });
}

/** The filter holds here too, whoever made the list. A name listed twice is one tool: calls could not tell them apart. */
function toListed(server: McpServerTool, listings: ToolboxOptions['listings']): readonly McpTool[] {
  const byName = new Map<string, McpTool>();
  for (const tool of listings.get(server.serverLabel) ?? [])
    if (!byName.has(tool.name) && isAllowed(server.allowedTools, tool)) byName.set(tool.name, tool);
  return [...byName.values()];
}

function toMcpEntry({ server, tool, calledAs }: Pick<McpRoute, 'server' | 'tool' | 'calledAs'>): Entry {
  const about = [tool.description, server.serverDescription].filter((text) => text);
  const description = about.length === 0 ? null : about.join('\n\n');
  return {
    shown: { name: calledAs, description, parameters: tool.inputSchema, strict: null },
    route: {
      kind: 'mcp',
      server,
      tool,
      needsApproval: needsApproval(server.requireApproval, tool),
      calledAs,
    },
  };
}

function isOffered(entry: Entry, choice: ToolChoice): boolean {
  return choice.mode !== 'allowed_tools' || choice.allowedTools.some((allowed) => fits(entry, allowed));
}

/** True if the tool is the one that is wanted, or one of those; null wants any. */
function fits({ shown, route }: Entry, wanted: AllowedTool | null): boolean {
  switch (wanted?.type) {
    case undefined:
      return true;
    case 'function':
      return route.kind === 'client' && shown.name === wanted.name;
    case 'mcp':
      return (
        route.kind === 'mcp' &&
        route.server.serverLabel === wanted.serverLabel &&
        (wanted.name === null || route.tool.name === wanted.name)
      );
    case 'hosted':
      return route.kind === wanted.hosted;
    default:
      return wanted satisfies never;
  }
}
