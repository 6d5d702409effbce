import { newItemId } from '../../protocol/ids.ts';
import type { Item, McpListToolsItem } from '../../protocol/items.ts';
import type { McpServerTool, McpTool } from '../../protocol/tools.ts';
import { isAllowed } from '../../tools/mcp-filter.ts';
import type { McpServers } from '../../tools/mcp-servers.ts';
import { ToolFailure, toToolError } from '../../tools/tool-failure.ts';
import { addItem, itemAt, type Place } from '../run/event-target.ts';
import type { ToolBudget } from '../run/limits.ts';
import type { Run } from '../run/run.ts';
import { someAtOnce } from './some-at-once.ts';
import type { ToolContext } from './tool-context.ts';

/**
 * What the MCP servers of a run list, by their label: from its history where that holds, or from what another
 * process had listed for it, else asked for, some servers at once. A listing that fails shows as an item; the run goes on without that server.
 *
 * @throws the reason of the run's signal when it is stopped.
 */
export async function listTools(
  run: Run,
  servers: McpServers,
  budget: ToolBudget,
): Promise<ReadonlyMap<string, readonly McpTool[]>> {
  const wanted = run.base.settings.tools.filter((tool) => tool.type === 'mcp');
  if (wanted.length === 0) return NONE;
  const { output } = run.state; // of another process, if it had begun this run
  const known = wanted.flatMap((server) => {
    const listing = findListing([...run.context, ...output], server);
    return listing === undefined ? [] : [[server.serverLabel, listing.tools] as const];
  });
  const listings = new Map<string, readonly McpTool[]>(known);
  const begun = wanted
    .filter(({ serverLabel }) => !listings.has(serverLabel) && !hasFailed(output, serverLabel))
    .map((server) => ({ server, place: beginListing(run, server) }));
  run.flush();
  await someAtOnce(
    begun.map(({ server, place }) => async () => {
      const tools = await list({ run, servers, budget }, server, place);
      if (tools !== null) listings.set(server.serverLabel, tools);
    }),
  );
  return listings;
}

const NONE: ReadonlyMap<string, readonly McpTool[]> = new Map();

function beginListing(run: Run, { serverLabel, serverUrl, allowedTools }: McpServerTool): Place {
  const place = addItem(run, {
    type: 'mcp_list_tools',
    id: newItemId('mcpl'),
    status: 'in_progress',
    round: null,
    serverLabel,
    serverUrl,
    filter: allowedTools,
    tools: [],
    error: null,
  });
  run.emit({ type: 'response.mcp_list_tools.in_progress', ...place });
  return place;
}

/** The allowed tools of one server, told as the end of its item; null if it could not list them. */
async function list(
  { run, servers, budget }: Pick<ToolContext, 'run' | 'servers' | 'budget'>,
  server: McpServerTool,
  place: Place,
): Promise<readonly McpTool[] | null> {
  const end = (result: Pick<McpListToolsItem, 'tools' | 'error'>) => {
    const status = result.error === null ? 'completed' : 'failed';
    run.emit({ type: `response.mcp_list_tools.${status}`, ...place });
    const item = { ...itemAt(run, place, 'mcp_list_tools'), ...result, status } as const;
    run.emit({ type: 'response.output_item.done', ...place, item });
    run.flush();
  };
  try {
    const listed = await servers.list(server, run.signal);
    run.signal.throwIfAborted();
    const tools = listed.filter((tool) => isAllowed(server.allowedTools, tool));
    budget.keep(JSON.stringify(tools).length);
    end({ tools, error: null });
    return tools;
  } catch (error) {
    run.signal.throwIfAborted();
    if (!(error instanceof ToolFailure)) throw error;
    end({ tools: [], error: toToolError(error) });
    return null;
  }
}

/** True if the server has been asked in this run, in vain: it is not asked again. */
function hasFailed(output: readonly Item[], serverLabel: string): boolean {
  return output.some((item) => item.type === 'mcp_list_tools' && item.serverLabel === serverLabel);
}

/** The listing that still holds for a server. One given as input holds for whatever bears its label. */
function findListing(context: readonly Item[], server: McpServerTool): McpListToolsItem | undefined {
  const filter = JSON.stringify(server.allowedTools);
  return context
    .filter((item) => item.type === 'mcp_list_tools')
    .findLast(
      (item) =>
        item.status === 'completed' &&
        item.serverLabel === server.serverLabel &&
        (item.serverUrl === null ||
          (item.serverUrl === server.serverUrl && JSON.stringify(item.filter) === filter)),
    );
}
