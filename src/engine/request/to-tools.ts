import type {
  AllowedTool,
  McpApprovalPolicy,
  McpCredentials,
  McpSecrets,
  McpToolFilter,
  Tool,
  ToolChoice,
} from '../../protocol/tools.ts';
import type { CheckedInput } from './create-input.ts';

type ToolInput = NonNullable<CheckedInput['tools']>[number];
type McpInput = NonNullable<ToolInput['mcp']>;

/** The tools of a request that has been checked, without the secrets that came with them. */
export function toTools(tools: CheckedInput['tools']): readonly Tool[] {
  return (tools ?? []).flatMap(({ function: tool, webSearch, mcp }): Tool[] => {
    if (tool) {
      const { name, description, parameters, strict } = tool;
      return [
        {
          type: 'function',
          name,
          description: description ?? null,
          parameters: parameters ?? null,
          strict: strict ?? null,
        },
      ];
    }
    if (webSearch) {
      const { city, country, region, timezone } = webSearch.userLocation ?? {};
      return [
        {
          type: 'web_search',
          searchContextSize: webSearch.searchContextSize ?? null,
          allowedDomains: webSearch.allowedDomains ?? [],
          userLocation: webSearch.userLocation
            ? {
                city: city ?? null,
                country: country ?? null,
                region: region ?? null,
                timezone: timezone ?? null,
              }
            : null,
        },
      ];
    }
    return mcp ? [toMcpServer(mcp)] : [];
  });
}

/** What the MCP servers of a request are to be told, by their label. Those that need no secret are absent. */
export function toSecrets(tools: CheckedInput['tools']): McpSecrets {
  return new Map(
    (tools ?? []).flatMap(({ mcp }): [string, McpCredentials][] => {
      if (!mcp || !hasSecrets(mcp)) return [];
      const headers = Object.fromEntries(
        Object.entries(mcp.headers ?? {}).map(([key, value]) => [key, String(value)]),
      );
      return [[mcp.serverLabel, { headers, authorization: mcp.authorization ?? null }]];
    }),
  );
}

function hasSecrets({ headers, authorization }: McpInput): boolean {
  return Object.keys(headers ?? {}).length > 0 || Boolean(authorization);
}

function toMcpServer(mcp: McpInput): Tool {
  const { serverLabel, serverUrl, serverDescription, headers, allowedTools } = mcp;
  return {
    type: 'mcp',
    serverLabel,
    serverUrl,
    serverDescription: serverDescription ?? null,
    headerNames: Object.keys(headers ?? {}),
    hasSecrets: hasSecrets(mcp),
    allowedTools: toFilter(allowedTools),
    requireApproval: toPolicy(mcp.requireApproval),
  };
}

function toPolicy(policy: McpInput['requireApproval']): McpApprovalPolicy {
  if (policy?.filter) {
    const { always, never } = policy.filter;
    return { mode: 'filtered', always: toFilter(always), never: toFilter(never) };
  }
  return { mode: policy?.mode ?? 'always', always: null, never: null };
}

function toFilter(filter: McpInput['allowedTools']): McpToolFilter | null {
  if (!filter) return null;
  const { toolNames, excludedToolNames, readOnly } = filter;
  return {
    toolNames: toolNames ?? null,
    excludedToolNames: excludedToolNames ?? null,
    readOnly: readOnly ?? null,
  };
}

export function toToolChoice(choice: CheckedInput['toolChoice']): ToolChoice {
  if (typeof choice?.function === 'string') return { mode: 'function', name: choice.function };
  if (choice?.mcp) {
    const { serverLabel, name } = choice.mcp;
    return { mode: 'mcp', serverLabel, name: name ?? null };
  }
  if (choice?.hosted) return { mode: 'hosted', hosted: choice.hosted };
  if (choice?.allowedTools) {
    const { mode, tools } = choice.allowedTools;
    return { mode: 'allowed_tools', allowedToolsMode: mode, allowedTools: tools.flatMap(toAllowedTool) };
  }
  return { mode: choice?.mode ?? 'auto' };
}

type AllowedToolInput = NonNullable<NonNullable<CheckedInput['toolChoice']>['allowedTools']>['tools'][number];

function toAllowedTool({ function: name, mcp, hosted }: AllowedToolInput): AllowedTool[] {
  if (typeof name === 'string') return [{ type: 'function', name }];
  if (mcp) return [{ type: 'mcp', serverLabel: mcp.serverLabel, name: mcp.name ?? null }];
  return hosted ? [{ type: 'hosted', hosted }] : [];
}
