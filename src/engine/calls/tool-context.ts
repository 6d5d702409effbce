import type { McpTool } from '../../protocol/tools.ts';
import type { McpServers } from '../../tools/mcp-servers.ts';
import type { WebSearch } from '../../tools/web-search.ts';
import type { ToolBudget } from '../run/limits.ts';
import type { Run } from '../run/run.ts';

/** What the calls of one run are made with. */
export interface ToolContext {
  readonly run: Run;
  readonly servers: McpServers;
  /** Null: no provider is configured, and no request can ask for a search. */
  readonly webSearch: WebSearch | null;
  readonly budget: ToolBudget;
  /** What the servers list, by their label. A server whose listing failed is absent. */
  readonly listings: ReadonlyMap<string, readonly McpTool[]>;
  /** For one call. In milliseconds. */
  readonly timeoutMs: number;
}
