import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A port that leads to a Postgres, for tests that watch what goes through, change it or keep it back. */
export interface DatabaseDoor {
  /** The database's URL, through this door. */
  readonly url: string;
  /** The sockets of both sides. */
  readonly sockets: ReadonlySet<Socket>;
  /** Cuts every connection and takes no more. */
  shut(): Promise<void>;
  /** Takes connections again, on the same port. */
  reopen(): Promise<void>;
}

/** Opens one. `join` is to pass on what each side of a connection says. When one side ends, so does the other. */
export async function openDatabaseDoor(
  databaseUrl: string,
  join: (client: Socket, postgres: Socket) => void,
): Promise<DatabaseDoor> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const postgres = connect(Number(target.port || 5432), target.hostname);
    const sides = [client, postgres];
    for (const side of sides) {
      sockets.add(side);
      side.on('error', () => {}); // 'close' follows
      side.on('close', () => {
        sockets.delete(side);
        for (const other of sides) other.destroy();
      });
    }
    join(client, postgres);
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    sockets,
    async shut() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    reopen: () => listen(port),
  };
}
