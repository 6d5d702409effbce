import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type DemoMcpServer, startDemoMcpServer } from './mcp-server.ts';
import { create, type DoneItem, follow } from './tour-client.ts';

/** `npm run demo`: a server with the demo model, and what it does with text, functions and MCP, in a terminal. */

const print = (text: string) => process.stdout.write(text);

const folder = await mkdtemp(join(tmpdir(), 'responses-demo-'));
const mcp = await startDemoMcpServer();
const server = startServer(folder);
try {
  const url = await listening(server);
  print(`A server runs at ${url} for the length of this tour.\n\n`);
  await showConversation(url);
  await showFunction(url);
  await showMcp(url, mcp);
  await showApproval(url, mcp);
  print('To try it yourself: npm start, then open http://127.0.0.1:4000/graphql\n');
} finally {
  if (server.kill('SIGTERM')) await once(server, 'exit'); // false: it has ended, and there is nothing to wait for
  await mcp.close();
  await rm(folder, { recursive: true, force: true });
}

async function showConversation(url: string) {
  print('> My name is Ada\n');
  const first = await create(url, { input: { text: 'My name is Ada' }, stream: true });
  await printRun(url, first.id);

  print('> What is my name?   (continues that response)\n');
  const second = await create(url, { input: { text: 'What is my name?' }, previousResponseId: first.id });
  print(`  ${second.outputText}\n\n`);
}

async function showFunction(url: string) {
  const said = 'call get_weather with {"city": "Paris"}';
  print(`> ${said}   (a function that this program runs)\n`);
  const tools = [{ function: { name: 'get_weather', parameters: { type: 'object' } } }];
  const { id, pendingItems } = await create(url, { input: { text: said }, tools });
  for (const item of pendingItems) {
    if (item.__typename !== 'FunctionCall') continue;
    print(`  the model calls ${item.name}(${item.arguments}); this program answers "18 °C, sunny"\n`);
    const output = { functionCallOutput: { callId: item.callId, output: { text: '18 °C, sunny' } } };
    const next = await create(url, { input: { items: [output] }, previousResponseId: id, tools });
    print(`  ${next.outputText}\n\n`);
  }
}

async function showMcp(url: string, { url: serverUrl }: DemoMcpServer) {
  const said = 'call find_user with {"name": "Ada"}, then call list_permissions with {"userId": "user_1815"}';
  print(`> ${said}   (an MCP server)\n`);
  const tools = [{ mcp: { serverLabel: 'demo', serverUrl, requireApproval: { mode: 'NEVER' } } }];
  const { id } = await create(url, { input: { text: said }, tools, stream: true });
  await printRun(url, id);
}

async function showApproval(url: string, { url: serverUrl }: DemoMcpServer) {
  const said = 'call send_postcard with {"userId": "user_1815", "text": "Hello"}';
  print(`> ${said}   (needs approval)\n`);
  const tools = [{ mcp: { serverLabel: 'demo', serverUrl } }];
  const { id, pendingItems } = await create(url, { input: { text: said }, tools });
  for (const item of pendingItems) {
    if (item.__typename !== 'McpApprovalRequest') continue;
    print(`  the model wants to call ${item.name}(${item.arguments}); this program approves\n`);
    const approval = { mcpApprovalResponse: { approvalRequestId: item.id, approve: true } };
    const next = await create(url, { input: { items: [approval] }, previousResponseId: id, tools });
    print(`  ${next.outputText}\n\n`);
  }
}

/** Follows a streamed run to its end: a line for each thing done, and the text as it comes. */
async function printRun(url: string, id: string) {
  let isSpeaking = false;
  for await (const { delta, item, response } of follow(url, id)) {
    if (delta !== undefined) print(isSpeaking ? delta : `  ${delta}`);
    isSpeaking ||= delta !== undefined;
    if (item !== undefined) print(lineOf(item));
    if (response?.usage) print(`  (${response.usage.totalTokens} tokens)\n\n`);
    if (response?.error) throw new Error(response.error.message);
  }
}

function lineOf(item: DoneItem): string {
  switch (item.__typename) {
    case 'Message': // its text was printed as it came
      return '';
    case 'McpListTools': {
      const names = item.tools.map(({ name }) => name).join(', ');
      return `  the tools of "${item.serverLabel}": ${item.error?.message ?? names}\n`;
    }
    case 'McpCall':
      return `  ${item.name}(${item.arguments}) → ${item.error?.message ?? item.output}\n`;
    default:
      return item satisfies never;
  }
}

function startServer(dataDir: string): ChildProcess {
  const {
    npm_lifecycle_event: _,
    OPENAI_BASE_URL: _url,
    OPENAI_API_KEY: _key,
    DATABASE_URL: _db,
    ...rest
  } = process.env;
  return spawn(process.execPath, [join(import.meta.dirname, '../main.ts')], {
    // The demo MCP server is on loopback, where tools are not called unless that is allowed.
    env: {
      LOG_LEVEL: 'warn',
      ...rest,
      HOST: '127.0.0.1',
      PORT: '0',
      AUTH: 'none',
      DATA_DIR: dataDir,
      MCP_ALLOW_PRIVATE: 'true',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function listening({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('The server has no output.');
  for await (const line of createInterface(stdout)) {
    const url = /^listening on (.*)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('The server did not start.');
}
