import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { calls } from './chat-server.ts';
import { type McpTestServer, startMcpServer } from './mcp-server.ts';
import type { ToolCall } from './mcp-tools.ts';
import { hangs } from './search-server.ts';
import type { SearchingApp } from './searching-app.ts';
import { answer, call, mcp, mcpAsking } from './tools.ts';

type Input = { readonly [name: string]: unknown };

/** Ways to look at everything that there is of a response. */
export interface Look {
  /** The payload of createResponse. */
  start(input: Input): Promise<{ readonly response: { readonly id: string } }>;
  /** Creates a response, which must be taken, and reads it in every way. Gives its id. */
  all(input: Input): Promise<string>;
  read(id: string): Promise<unknown>;
  watch(id: string): Promise<void>;
  /** Cancels, whatever comes of it. */
  cancel(id: string): Promise<unknown>;
  /** The id of what waits for the client. */
  pending(id: string): Promise<string>;
}

const input = { text: 'Hi' };

/** Runs in which every type, field and enum value shows that has to do with the tools that a server runs. */
export async function useEveryTool(app: SearchingApp, look: Look): Promise<void> {
  await using server = await startMcpServer({
    tools: {
      read: { description: 'Reads.', annotations: { readOnlyHint: true } },
      fail: { run: () => ({ content: [], isError: true }) },
      break: { run: () => Promise.reject(new McpError(-32_000, 'Broken.')) },
      write: {},
      hang: { run: untilCancelled },
    },
  });
  const dead = await startMcpServer();
  dead.kill();
  await everyEnd(app, look, { server, dead });
  await everyChoice(app, look, server);
  await everyApproval(app, look, server);
  await untilTooLong(app, look, server);
}

function untilCancelled(_: object, { signal }: ToolCall): Promise<string> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve('too late')));
}

async function everyEnd(
  app: SearchingApp,
  look: Look,
  { server, dead }: { readonly server: McpTestServer; readonly dead: McpTestServer },
): Promise<void> {
  const allowedTools = { toolNames: ['read', 'fail', 'break', 'write'], excludedToolNames: ['hang'] };
  const filter = { always: { readOnly: false, toolNames: ['write'] }, never: {} };
  const about = { serverDescription: 'Files.', headers: { 'x-key': 'a' }, allowedTools };
  const disk = mcp('disk', server, { ...about, requireApproval: { filter } });
  const userLocation = { city: 'Bern', country: 'CH', region: 'BE', timezone: 'Europe/Zurich' };
  const webSearch = { searchContextSize: 'HIGH', userLocation };
  const unread = { name: 'read', arguments: '[' };
  const made = [call('web_search', { query: 'a' }), unread, call('fail'), call('break')];
  app.upstream.enqueue(calls([...made, call('read', {}, 'over'), call('write')]));
  await look.all({ input, tools: [disk, mcp('dead', dead), { webSearch }], maxToolCalls: 3 });
}

async function everyChoice(app: SearchingApp, look: Look, server: McpTestServer): Promise<void> {
  const listed = { mcp: { serverLabel: 'disk', name: 'read' } };
  const hosted = { hosted: 'WEB_SEARCH' };
  const allowed = { allowedTools: { mode: 'AUTO', tools: [listed, hosted] } };
  for (const toolChoice of [listed, hosted, allowed]) {
    app.upstream.enqueue(calls([call('read')]));
    const searchContextSize = toolChoice === hosted ? 'LOW' : 'MEDIUM';
    await look.all({ input, tools: [mcp('disk', server), { webSearch: { searchContextSize } }], toolChoice });
  }
}

async function everyApproval(app: SearchingApp, look: Look, server: McpTestServer): Promise<void> {
  app.upstream.enqueue(calls([call('write')]));
  const previousResponseId = await look.all({ input, tools: [mcpAsking('disk', server)] });
  const approve = (id: string, more: object = {}) => ({
    previousResponseId,
    input: { items: [answer(id, true, 'Go ahead.')] },
    tools: [mcpAsking('disk', server, more)],
  });
  const id = await look.pending(previousResponseId);
  await look.all(approve(id, { allowedTools: { toolNames: ['read'] } }));
  await look.all(approve(id));
  await look.read(previousResponseId);
  await look.start(approve(id));
  await look.start(approve('mcpr_unknown'));
}

async function untilTooLong(app: SearchingApp, look: Look, server: McpTestServer): Promise<void> {
  const before = server.calls.length;
  const searches = app.search.searches.length;
  app.search.enqueue(hangs);
  app.upstream.enqueue(calls([call('hang'), call('web_search', { query: 'b' })]));
  const tools = [mcp('disk', server), { webSearch: {} }];
  const { response } = await look.start({ input, tools, stream: true });
  await Promise.all([server.called(before + 1), app.search.received(searches + 1)]);
  await look.read(response.id);
  await look.watch(response.id);
}
