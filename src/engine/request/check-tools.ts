import { invalidInput, type RequestError } from '../../protocol/request-error.ts';
import { blockedReason } from '../../tools/outbound.ts';
import type { CreateInput } from './create-input.ts';
import { isWebUrl } from './fields.ts';
import { quoted } from './sizes.ts';

export interface ToolRules {
  readonly hasWebSearch: boolean;
  /** True: MCP servers may be at private addresses. */
  readonly allowPrivate: boolean;
}

/** What can be wrong with tools beyond each field alone. */
export function checkTools({ tools, store }: CreateInput, rules: ToolRules, errors: RequestError[]): void {
  const seen = new Set<string>();
  const once = (key: string, path: readonly string[], message: string) => {
    if (seen.has(key)) errors.push(invalidInput(path, message));
    seen.add(key);
  };
  tools?.forEach(({ function: tool, webSearch, mcp }, index) => {
    const path = ['tools', String(index)];
    if (tool) {
      const message = `There is more than one function called ${quoted(tool.name)}.`;
      once(`function ${tool.name}`, [...path, 'function', 'name'], message);
    }
    if (webSearch) {
      once('web search', [...path, 'webSearch'], 'There is more than one web search.');
      if (!rules.hasWebSearch) {
        const message =
          'This server cannot search the web: it needs BRAVE_API_KEY, TAVILY_API_KEY or SEARXNG_URL in its environment.';
        errors.push(invalidInput([...path, 'webSearch'], message));
      }
    }
    if (!mcp) return;
    const message = `There is more than one MCP server called ${quoted(mcp.serverLabel)}.`;
    once(`mcp ${mcp.serverLabel}`, [...path, 'mcp', 'serverLabel'], message);
    const reason = isWeb(mcp.serverUrl) ? blockedReason(mcp.serverUrl, rules) : null;
    if (reason !== null) errors.push(invalidInput([...path, 'mcp', 'serverUrl'], reason));
    if (!store && mcp.requireApproval?.mode !== 'never') {
      const message =
        'A response that is not stored cannot wait for approval: say requireApproval: { mode: NEVER }, or store it.';
      errors.push(invalidInput([...path, 'mcp', 'requireApproval'], message));
    }
  });
}

/** A choice can name only what is among the tools. What an MCP server lists shows only later. */
export function checkToolChoice({ tools, toolChoice }: CreateInput, errors: RequestError[]): void {
  const names = new Set(tools?.map(({ function: tool }) => tool?.name));
  const labels = new Set(tools?.map(({ mcp }) => mcp?.serverLabel));
  const hasSearch = tools?.some(({ webSearch }) => webSearch) ?? false;
  const demand = (choice: Choice, path: readonly string[]) => {
    const { function: name, mcp, hosted } = choice;
    if (typeof name === 'string' && !names.has(name))
      errors.push(
        invalidInput([...path, 'function'], `There is no function ${quoted(name)} among the tools.`),
      );
    if (mcp && !labels.has(mcp.serverLabel)) {
      const message = `There is no MCP server ${quoted(mcp.serverLabel)} among the tools.`;
      errors.push(invalidInput([...path, 'mcp', 'serverLabel'], message));
    }
    if (hosted && !hasSearch)
      errors.push(invalidInput([...path, 'hosted'], 'There is no web search among the tools.'));
  };
  if (!toolChoice) return;
  demand(toolChoice, ['toolChoice']);
  toolChoice.allowedTools?.tools.forEach((each, index) => {
    demand(each, ['toolChoice', 'allowedTools', 'tools', String(index)]);
  });
  if (toolChoice.mode === 'required' && (tools ?? []).length === 0) {
    errors.push(invalidInput(['toolChoice', 'mode'], 'A tool call is required, but there are no tools.'));
  }
}

type Choice = Pick<NonNullable<CreateInput['toolChoice']>, 'function' | 'mcp' | 'hosted'>;

/** Of anything else the rules of the field alone have spoken. */
function isWeb(text: string): boolean {
  const { username = '', password = '' } = (isWebUrl(text) ? URL.parse(text) : null) ?? { username: '-' };
  return username + password === '';
}
