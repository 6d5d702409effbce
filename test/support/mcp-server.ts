import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import {
  type EventStore,
  StreamableHTTPServerTransport,
} from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { answerRequests, type Json, type ScriptedTools, type ToolCall } from './mcp-tools.ts';

/** One HTTP request as the server received it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The JSON-RPC message, or null. */
  readonly body: Json | null;
}

export interface McpServerOptions {
  readonly tools?: ScriptedTools;
  /** Default: `streamable`. The older one alone is offered by `sse`. */
  readonly transport?: 'streamable' | 'sse';
  /** Tools per page of the listing. Default: all on one. */
  readonly pageSize?: number;
  /** Replaces the listing: the result for this cursor. May throw. */
  readonly list?: (cursor: string | undefined) => object;
  /** The bearer token without which every request is answered with 401, and the wrong one is repeated. */
  readonly token?: string;
  /** What a session that is unknown is answered with. Default: 404. */
  readonly unknownSession?: 400 | 404;
  /** Keeps the events of a session, so that a client can ask for the rest of a broken stream. */
  readonly keepsEvents?: boolean;
  /** Answers in place of the server if it gives true. */
  readonly intercept?: (request: ReceivedRequest, answer: ServerResponse) => boolean;
}

/** An MCP server that does as it is told, on a loopback port. */
export interface McpTestServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  readonly calls: readonly ToolCall[];
  /** Ids of sessions; `closed` are those that a client ended. */
  readonly sessions: { readonly opened: readonly string[]; readonly closed: readonly string[] };
  /** Resolves with the tool call number `count` (from 1), as soon as it has arrived. */
  called(count: number): Promise<ToolCall>;
  /** Ends every connection, in the middle of whatever it is doing, and listens no more. */
  kill(): void;
  /** What a restart does: sessions from before are unknown. */
  forgetSessions(): void;
}

interface Room {
  readonly options: McpServerOptions;
  readonly opened: string[];
  readonly closed: string[];
  readonly streamable: Map<string, StreamableHTTPServerTransport>;
  readonly sse: Map<string, SSEServerTransport>;
  readonly onCall: (call: ToolCall) => void;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly answer: ServerResponse;
  readonly body: Json | null;
}

export async function startMcpServer(options: McpServerOptions = {}): Promise<McpTestServer> {
  const requests: ReceivedRequest[] = [];
  const calls: ToolCall[] = [];
  const waiting: { readonly count: number; readonly resolve: (call: ToolCall) => void }[] = [];
  const room: Room = {
    options,
    opened: [],
    closed: [],
    streamable: new Map(),
    sse: new Map(),
    onCall(call) {
      calls.push(call);
      for (const { count, resolve } of waiting) if (count === calls.length) resolve(call);
    },
  };
  const server = createServer(async (request, answer) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = text === '' ? null : (JSON.parse(text) as Json);
    const { method = '', url: path = '', headers } = request;
    const received = { method, path, headers, body };
    requests.push(received);
    if (options.intercept?.(received, answer) === true) return;
    if (options.token !== undefined && headers.authorization !== `Bearer ${options.token}`) {
      return refuse(answer, 401, `Not the right token: ${headers.authorization}`);
    }
    const handle = options.transport === 'sse' ? handleSse : handleStreamable;
    await handle(room, { request, answer, body });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kill = () => {
    server.close();
    server.closeAllConnections();
  };
  return {
    url: `http://127.0.0.1:${port}/${options.transport === 'sse' ? 'sse' : 'mcp'}`,
    requests,
    calls,
    sessions: room,
    called: (count) =>
      new Promise((resolve) => {
        const call = calls[count - 1];
        if (call !== undefined) resolve(call);
        else waiting.push({ count, resolve });
      }),
    kill,
    forgetSessions() {
      room.streamable.clear();
      room.sse.clear();
    },
    async [Symbol.asyncDispose]() {
      kill();
      await Promise.all([...room.streamable.values(), ...room.sse.values()].map((each) => each.close()));
    },
  };
}

async function handleStreamable(room: Room, { request, answer, body }: Exchange): Promise<void> {
  const id = request.headers['mcp-session-id'];
  if (id !== undefined) {
    const known = room.streamable.get(String(id));
    if (known !== undefined) return known.handleRequest(request, answer, body ?? undefined);
    return refuse(answer, room.options.unknownSession ?? 404, 'Session not found');
  }
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    ...(room.options.keepsEvents === true && { eventStore: createEventStore() }),
    onsessioninitialized: (opened) => {
      room.opened.push(opened);
      room.streamable.set(opened, transport);
    },
    onsessionclosed: (closed) => {
      room.closed.push(closed);
      room.streamable.delete(closed);
    },
  });
  await answerRequests(room).connect(transport);
  await transport.handleRequest(request, answer, body ?? undefined);
}

async function handleSse(room: Room, { request, answer, body }: Exchange): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
  if (request.method === 'GET' && pathname === '/sse') {
    const transport = new SSEServerTransport('/message', answer);
    const { sessionId } = transport;
    room.opened.push(sessionId);
    room.sse.set(sessionId, transport);
    answer.once('close', () => {
      room.closed.push(sessionId);
      room.sse.delete(sessionId);
    });
    return answerRequests(room).connect(transport);
  }
  const known = room.sse.get(searchParams.get('sessionId') ?? '');
  if (known !== undefined) return known.handlePostMessage(request, answer, body);
  const [status, words] = pathname === '/message' ? ([404, 'Session not found'] as const) : NO_POST;
  refuse(answer, status, words);
}

const NO_POST = [405, 'This is an event stream'] as const;

function refuse(answer: ServerResponse, status: number, message: string): void {
  answer.writeHead(status, { 'content-type': 'application/json' });
  answer.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }));
}

function createEventStore(): EventStore {
  const events: { readonly streamId: string; readonly message: Parameters<EventStore['storeEvent']>[1] }[] =
    [];
  return {
    storeEvent: async (streamId, message) => String(events.push({ streamId, message }) - 1),
    async replayEventsAfter(lastEventId, { send }) {
      const { streamId } = events[Number(lastEventId)] ?? { streamId: '' };
      for (const [id, event] of events.entries()) {
        if (id > Number(lastEventId) && event.streamId === streamId) await send(String(id), event.message);
      }
      return streamId;
    },
  };
}
