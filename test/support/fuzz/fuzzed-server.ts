import { type ChatServer, startChatServer } from '../chat-server.ts';
import { answeringOptions, innerStateOf, isInnerState } from '../inner-state.ts';
import { startSearchServer } from '../search-server.ts';
import { createDataFolder } from '../server-process.ts';
import { createTestDatabase } from '../test-database.ts';

/** A real process that is treated badly. */
export interface FuzzedServer extends AsyncDisposable {
  readonly url: string;
  readonly upstream: ChatServer;
  /** After everything that can be collected was: bytes of the heap and of buffers. */
  memory(): Promise<number>;
  /** What it has logged of failures of its own. */
  failures(): readonly string[];
}

export async function startFuzzedServer(): Promise<FuzzedServer> {
  const parts = new AsyncDisposableStack();
  const upstream = parts.use(await startChatServer());
  const search = parts.use(await startSearchServer());
  const database = parts.use(await createTestDatabase());
  const folder = parts.use(await createDataFolder());
  const { url, child } = await folder.run({
    OPENAI_BASE_URL: upstream.baseUrl,
    SEARXNG_URL: search.baseUrl,
    DATABASE_URL: database.url,
    DEFAULT_MODEL: 'test-model',
    MCP_ALLOW_PRIVATE: 'true',
    LOG_LEVEL: 'error',
    NODE_OPTIONS: await answeringOptions(folder.path),
  });
  // The playground's page is built when it is first asked for, and kept: it is no leak.
  await fetch(url, { headers: { accept: 'text/html' } }).then((page) => page.text());
  const lines: string[] = [];
  child.stderr?.on('data', (bytes) => {
    const said = String(bytes).trim().split('\n');
    lines.push(...said.filter((line) => !isInnerState(line)));
  });
  return {
    url,
    upstream,
    failures: () => lines,
    memory: async () => (await innerStateOf(child)).memory,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
