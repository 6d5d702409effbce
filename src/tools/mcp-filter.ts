import type { McpApprovalPolicy, McpTool, McpToolFilter } from '../protocol/tools.ts';

/** What a filter looks at. */
type Filtered = Pick<McpTool, 'name' | 'annotations'>;

/** Whether a tool may be shown and called. No filter allows every tool, an empty `toolNames` none. */
export function isAllowed(filter: McpToolFilter | null, tool: Filtered): boolean {
  return filter === null || matches(filter, tool);
}

/** Whether the client must approve a call. Of two filters that both match, `always` counts; without any, it must. */
export function needsApproval({ mode, always, never }: McpApprovalPolicy, tool: Filtered): boolean {
  switch (mode) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'filtered':
      return (always !== null && matches(always, tool)) || never === null || !matches(never, tool);
    default:
      return mode satisfies never;
  }
}

function matches(
  { toolNames, excludedToolNames, readOnly }: McpToolFilter,
  { name, annotations }: Filtered,
): boolean {
  if (excludedToolNames?.includes(name)) return false;
  if (toolNames !== null && !toolNames.includes(name)) return false;
  return readOnly === null || readOnly === (annotations?.['readOnlyHint'] === true);
}
