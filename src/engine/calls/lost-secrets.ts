import type { McpSecrets, McpServerTool } from '../../protocol/tools.ts';
import type { McpServers } from '../../tools/mcp-servers.ts';
import { ToolFailure } from '../../tools/tool-failure.ts';

/**
 * The same servers, but for those whose secrets have gone with the process that had them: nothing is sent to these,
 * as they would refuse it, or answer as they would a stranger.
 */
export function withoutLostSecrets(servers: McpServers, secrets: McpSecrets): McpServers {
  const check = (server: McpServerTool) => {
    if (needsSecrets(server) && !secrets.has(server.serverLabel)) throw lost(server);
  };
  return {
    list: async (server, signal) => {
      check(server);
      return servers.list(server, signal);
    },
    connect: async (server, signal) => {
      check(server);
      return servers.connect(server, signal);
    },
    call: async (server, call, signal) => {
      check(server);
      return servers.call(server, call, signal);
    },
    close: () => servers.close(),
  };
}

/** True for a server whose secrets came with the request. */
export function needsSecrets({ hasSecrets, headerNames }: McpServerTool): boolean {
  return hasSecrets ?? headerNames.length > 0;
}

function lost({ serverLabel }: McpServerTool): ToolFailure {
  const message = `The secrets of "${serverLabel}" were lost when another process took this response over: send the request again with them.`;
  return new ToolFailure('credentials_lost', message);
}
