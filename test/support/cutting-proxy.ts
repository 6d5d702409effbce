import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createRandom } from './random.ts';

/** Stands in front of servers and cuts the connections of their clients, wherever in the stream of bytes it is. */
export interface CuttingProxy extends AsyncDisposable {
  /** The address of the first server, through the proxy. */
  readonly url: string;
  /** What each connection that was cut had brought its client, from its first byte to its last. */
  readonly cuts: readonly Buffer[];
  /** How many connections each server was given, in the order of the servers. */
  readonly connections: readonly number[];
  /** Lets it cut so many times more. Until then, and after that, everything is let through. */
  allow(times: number): void;
}

export interface Cutting {
  /** The servers, all with one path; they take turns, connection by connection. */
  readonly urls: readonly string[];
  /** From one place to cut at to the next it is 1 to so many bytes from server to client. */
  readonly within: number;
  /** Chooses those places, and whether a client sees an end (FIN) or an error (RST). */
  readonly seed: number;
}

export async function startCuttingProxy({ urls, within, seed }: Cutting): Promise<CuttingProxy> {
  const random = createRandom(seed);
  const cuts: Buffer[] = [];
  const connections = urls.map(() => 0);
  const open = new Set<Socket>();
  let allowed = 0;
  const server = createServer({ noDelay: true }, (client) => {
    const turn = connections.reduce((sum, count) => sum + count) % urls.length;
    connections[turn] = (connections[turn] ?? 0) + 1;
    const { port, hostname } = new URL(urls[turn] ?? '');
    const target = connect({ port: Number(port), host: hostname, noDelay: true });
    tie(open, client, target);
    client.pipe(target);
    const passed: Buffer[] = [];
    let left = 1 + random(within);
    target.on('data', (bytes) => {
      while (bytes.length >= left) {
        if (allowed > 0) return cut(bytes.subarray(0, left));
        left += 1 + random(within);
      }
      left -= bytes.length;
      passed.push(bytes);
      client.write(bytes);
    });
    const cut = (last: Buffer) => {
      allowed--;
      cuts.push(Buffer.concat([...passed, last]));
      target.removeAllListeners('data').pause();
      client.write(last, () => (random(2) === 0 ? client.resetAndDestroy() : client.destroy()));
    };
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(urls[0] ?? '');
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    cuts,
    connections,
    allow: (times) => {
      allowed += times;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** When one side closes, the other does, after what it has still to write. */
function tie(open: Set<Socket>, client: Socket, target: Socket): void {
  for (const [one, other] of [
    [client, target],
    [target, client],
  ] as const) {
    open.add(one);
    one.on('error', () => {}); // `close` follows
    one.on('close', () => {
      open.delete(one);
      other.destroySoon();
    });
  }
}
