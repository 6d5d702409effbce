import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type postgres from 'postgres';
import { keepSecret } from '../../src/util/secrets.ts';

/** The key with which every server of the suite asks its model. */
export const SUITE_CANARY = 'canary-key-of-the-whole-suite';

keepSecret(SUITE_CANARY); // as main.ts does

/** A core that no form changes, and its three forms in base64. */
const FORMS = [
  SUITE_CANARY,
  ...[0, 1, 2].map((before) => {
    const bytes = Buffer.from('.'.repeat(before) + SUITE_CANARY);
    return bytes.toString('base64').slice(before === 0 ? 0 : before + 1, Math.floor((bytes.length * 8) / 6));
  }),
];

const NET_SOCKET = 'net.server.socket';

/** Looks for the key of the suite in whatever leaves a server: its log, its answers and, when asked to, its database. */
export function watchForCanary() {
  const found: string[] = [];
  let port = 0;
  const look = (place: string, text: string | Uint8Array) => {
    const buffer =
      typeof text === 'string' ? text : Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    for (const form of FORMS)
      if (buffer.includes(form)) found.push(`${place}: ${String(buffer).slice(0, 2000)}`);
  };
  /** Every byte that a server sends goes through here: HTTP, event streams and WebSockets. */
  const onSocket = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort !== port) return;
    const write: (...args: readonly unknown[]) => boolean = socket.write.bind(socket) as never;
    socket.write = (...args: readonly unknown[]) => {
      const [chunk] = args;
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) look('an answer', chunk);
      return write(...args);
    };
  };
  return {
    log: { write: (line: string) => look('the log', line) },
    listenTo(ownPort: number) {
      port = ownPort;
      subscribe(NET_SOCKET, onSocket);
    },
    /** Reads every row: only where CANARY_DATABASE is set. */
    async searchDatabase(sql: postgres.Sql) {
      if (process.env['CANARY_DATABASE'] === undefined) return;
      const tables = await sql<{ name: string }[]>`
        select table_name as name from information_schema.tables where table_schema = 'public'`;
      for (const { name } of tables)
        for await (const rows of sql`select to_json(t)::text as row from ${sql(name)} t`.cursor(1000))
          for (const { row } of rows) look(`the table ${name}`, String(row));
    },
    /** @throws Error if the key was found. */
    end() {
      unsubscribe(NET_SOCKET, onSocket);
      if (found.length > 0) throw new Error(`The key of the model was found in ${found.join('\n')}`);
    },
  };
}
