import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A door to Postgres that counts what goes through and can be shut. */
export interface PostgresProxy extends AsyncDisposable {
  /** The database's URL through this door. */
  readonly url: string;
  /** Statements executed so far. */
  readonly executed: number;
  /** Cuts every connection and takes no more. */
  shut(): Promise<void>;
}

const EXECUTE = 'E'.charCodeAt(0);
const SIMPLE_QUERY = 'Q'.charCodeAt(0);

export async function startPostgresProxy(databaseUrl: string): Promise<PostgresProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let executed = 0;
  const server = createServer((client) => {
    const postgres = connect(Number(target.port || 5432), target.hostname);
    const count = messageReader((type) => {
      if (type === EXECUTE || type === SIMPLE_QUERY) executed++;
    });
    client.on('data', count);
    client.pipe(postgres).pipe(client);
    for (const [socket, other] of [
      [client, postgres],
      [postgres, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const shut = async () => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  return {
    url: String(url),
    get executed() {
      return executed;
    },
    shut,
    [Symbol.asyncDispose]: shut,
  };
}

/** Reads the types of a client's messages. The first, which opens the session, has a length and no type. */
function messageReader(onMessage: (type: number) => void): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let opened = false;
  return (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const at = opened ? 1 : 0;
      if (rest.length < at + 4) return;
      const end = at + rest.readUInt32BE(at);
      if (rest.length < end) return;
      if (opened) onMessage(rest[0] ?? 0);
      opened = true;
      rest = rest.subarray(end);
    }
  };
}
