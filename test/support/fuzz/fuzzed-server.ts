import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChatServer, startChatServer } from '../chat-server.ts';
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

const TELL_MEMORY = `process.on('SIGUSR2', async () => {
  for (let i = 0; i < 3; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 50)); }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.stderr.write('MEMORY ' + (heapUsed + arrayBuffers) + '\\n');
});`;

export async function startFuzzedServer(): Promise<FuzzedServer> {
  const parts = new AsyncDisposableStack();
  const upstream = parts.use(await startChatServer());
  const search = parts.use(await startSearchServer());
  const database = parts.use(await createTestDatabase());
  const folder = parts.use(await createDataFolder());
  const teller = join(folder.path, 'memory.mjs');
  await writeFile(teller, TELL_MEMORY);
  const { url, child } = await folder.run({
    OPENAI_BASE_URL: upstream.baseUrl,
    SEARXNG_URL: search.baseUrl,
    DATABASE_URL: database.url,
    DEFAULT_MODEL: 'test-model',
    MCP_ALLOW_PRIVATE: 'true',
    LOG_LEVEL: 'error',
    NODE_OPTIONS: `--expose-gc --import ${teller}`,
  });
  const lines: string[] = [];
  let onMemory: (bytes: number) => void = () => {};
  child.stderr?.on('data', (bytes) => {
    for (const line of String(bytes).trim().split('\n')) {
      if (line.startsWith('MEMORY ')) onMemory(Number(line.slice(7)));
      else lines.push(line);
    }
  });
  return {
    url,
    upstream,
    failures: () => lines,
    async memory() {
      const { promise, resolve } = Promise.withResolvers<number>();
      onMemory = resolve;
      child.kill('SIGUSR2');
      return promise;
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
