import type { AllowedTool, McpTool, ToolChoice } from '../protocol/tools.ts';

/** What a choice that lets the model do nothing but call comes to. */
export interface ToolDemand {
  /** What must be called; null: any tool that is offered. */
  readonly wanted: AllowedTool | null;
  /** True if `wanted` names one tool, false if it leaves a choice. */
  readonly exact: boolean;
  /** A sentence for when there is no such tool. */
  readonly missing: string;
}

/** What a choice demands; null if it demands nothing. */
export function toDemand(
  choice: ToolChoice,
  listings: ReadonlyMap<string, readonly McpTool[]>,
): ToolDemand | null {
  switch (choice.mode) {
    case 'none':
    case 'auto':
      return null;
    case 'required':
      return {
        wanted: null,
        exact: false,
        missing: 'toolChoice demands a tool call, but there is no tool to call.',
      };
    case 'function': {
      const { name } = choice;
      const missing = `toolChoice demands the function "${name}", which is not among the tools.`;
      return { wanted: { type: 'function', name }, exact: true, missing };
    }
    case 'hosted': {
      const { hosted } = choice;
      const missing = `toolChoice demands ${hosted}, which is not among the tools.`;
      return { wanted: { type: 'hosted', hosted }, exact: true, missing };
    }
    case 'mcp': {
      const { serverLabel, name } = choice;
      const demanded = name === null ? 'a tool' : `the tool "${name}"`;
      const reason = listings.has(serverLabel) ? 'which has none such' : 'whose tools could not be listed';
      const missing = `toolChoice demands ${demanded} of the MCP server "${serverLabel}", ${reason}.`;
      return { wanted: { type: 'mcp', serverLabel, name }, exact: name !== null, missing };
    }
    case 'allowed_tools':
      if (choice.allowedToolsMode === 'auto') return null;
      return {
        wanted: null,
        exact: false,
        missing: 'toolChoice demands a call of one of its allowed tools, but none of them is there.',
      };
    default:
      return choice satisfies never;
  }
}
