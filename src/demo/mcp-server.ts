import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { listen } from './listen.ts';
import { createDemoTools } from './mcp-tools.ts';

const PATH = '/mcp';

export interface DemoMcpServer {
  /** What an MCP client connects to: `http://127.0.0.1:PORT/mcp`. */
  readonly url: string;
  /** Ends every session and stops listening. May be called again. */
  close(): Promise<void>;
}

/** A client's session. The SDK serves one with a server and a transport of its own. */
interface Session {
  readonly server: McpServer;
  readonly transport: StreamableHTTPServerTransport;
}

/** Starts an MCP server on loopback, for trying out what a run does with one. */
export async function startDemoMcpServer(): Promise<DemoMcpServer> {
  const sessions = new Map<string, Session>();
  const http = createServer((request, response) => {
    respond(request, response, sessions).catch(() => response.destroy());
  });
  const listener = await listen(http, { who: 'The demo MCP server' });
  return {
    url: `${listener.origin}${PATH}`,
    async close() {
      const closed = listener.close(); // first, so that no session begins meanwhile
      await Promise.all([...sessions.values()].map(({ server }) => server.close()));
      await closed;
    },
  };
}

async function respond(request: IncomingMessage, response: ServerResponse, sessions: Map<string, Session>) {
  const [path] = (request.url ?? '').split('?', 1);
  if (path !== PATH) return refuse(response, `MCP is spoken at ${PATH}.`);

  const id = request.headers['mcp-session-id'];
  if (id === undefined) return begin(request, response, sessions);
  const session = sessions.get(String(id));
  if (session === undefined) return refuse(response, 'Session not found.');
  await session.transport.handleRequest(request, response);
}

/** Only an `initialize` comes without a session; the transport refuses everything else. */
async function begin(request: IncomingMessage, response: ServerResponse, sessions: Map<string, Session>) {
  const server = createDemoTools();
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void sessions.set(id, { server, transport }),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await server.connect(transport);
  await transport.handleRequest(request, response);
  if (transport.sessionId === undefined) await server.close();
}

/** In the shape of JSON-RPC, whose clients show the message. A 404 tells one of them to begin a new session. */
function refuse(response: ServerResponse, message: string) {
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32001, message }, id: null }));
}
