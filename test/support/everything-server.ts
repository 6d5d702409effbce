import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The reference server of the protocol, in a process of its own. */
export interface EverythingServer extends AsyncDisposable {
  readonly url: string;
}

const MAIN = join(
  import.meta.dirname,
  '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js',
);

// By itself it listens on every interface and cannot be asked for a free port: this makes it do both as tests need.
const LOOPBACK_ONLY = `data:text/javascript,${encodeURIComponent(`
  import { Server } from 'node:net';
  const { listen } = Server.prototype;
  Server.prototype.listen = function (_port, ...others) {
    this.once('listening', () => console.error('Port:', this.address().port));
    return listen.call(this, { port: 0, host: '127.0.0.1' }, ...others);
  };
`)}`;

/** Starts it; resolves when it listens. Rejects with what it printed if it does not get there. */
export async function startEverythingServer(transport: 'streamable' | 'sse'): Promise<EverythingServer> {
  const mode = transport === 'sse' ? 'sse' : 'streamableHttp';
  const { PATH = '' } = process.env; // and no more: one of its tools shows its environment
  const child = spawn(process.execPath, ['--import', LOOPBACK_ONLY, MAIN, mode], {
    env: { PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  let port: string | undefined;
  let printed = '';
  for await (const line of createInterface({ input: child.stderr })) {
    port = /^Port: (\d+)$/.exec(line)?.[1];
    if (port !== undefined) break;
    printed += `${line}\n`;
  }
  child.stderr.resume();
  if (port === undefined) throw new Error(`server-everything did not start:\n${printed}`);
  return {
    url: `http://127.0.0.1:${port}/${transport === 'sse' ? 'sse' : 'mcp'}`,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
