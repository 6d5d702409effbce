import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type postgres from 'postgres';
import { inject } from 'vitest';
import { keepSecret } from '../../src/util/secrets.ts';

/** The keys with which every server of the suite asks its model and searches the web. */
export const SUITE_CANARY = 'canary-key-of-the-whole-suite';
export const SEARCH_CANARY = 'canary-key-of-every-search';

/** What a caller may send as a secret of a request: nobody tells it to the process, which yet must not spread it. */
export const REQUEST_CANARY = 'canary-that-came-with-a-request';

/** A core that no form changes, and its three forms in base64. */
function formsOf(secret: string): readonly string[] {
  const inBase64 = [0, 1, 2].map((before) => {
    const bytes = Buffer.from('.'.repeat(before) + secret);
    return bytes.toString('base64').slice(before === 0 ? 0 : before + 1, Math.floor((bytes.length * 8) / 6));
  });
  return [secret, ...inBase64];
}

/** Keys and tokens of callers, whoever made them. Where one begins is looked for first, which is quick. */
const CALLERS = [
  { start: 'rgk_', whole: /rgk_[0-9A-Za-z]{20}/ },
  { start: 'eyJhbGci', whole: /eyJhbGci[\w-]+\.[\w-]{20}/ },
];

/** What the suite has for secrets that operators have, as main.ts keeps them. */
function ownSecrets(): readonly string[] {
  const { password } = new URL(inject('postgresUrl'));
  const secrets = [SUITE_CANARY, SEARCH_CANARY, ...(password.length < 8 ? [] : [password])];
  keepSecret(...secrets);
  return [...secrets, REQUEST_CANARY].flatMap(formsOf);
}

const FIGURES = process.env['CANARY_DATABASE'];
const NET_SOCKET = 'net.server.socket';

/**
 * Looks for the secrets of the suite in whatever leaves a server: its log, its answers and, where CANARY_DATABASE names
 * a file, every row of its database. That file then gets a line that says how much was looked at.
 */
export function watchForCanary() {
  const forms = ownSecrets();
  const found: string[] = [];
  const looked = { logLines: 0, answerBytes: 0, tables: 0, rows: 0 };
  let port = 0;
  const look = (place: string, text: string | Uint8Array) => {
    const buffer =
      typeof text === 'string' ? text : Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    const isCallers = CALLERS.some(
      ({ start, whole }) => buffer.includes(start) && whole.test(String(buffer)),
    );
    if (isCallers || forms.some((form) => buffer.includes(form)))
      found.push(`${place}: ${String(buffer).slice(0, 2000)}`);
  };
  /** Every byte that a server sends goes through here: HTTP, event streams and WebSockets. */
  const onSocket = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort !== port) return;
    const write: (...args: readonly unknown[]) => boolean = socket.write.bind(socket) as never;
    socket.write = (...args: readonly unknown[]) => {
      const [chunk] = args;
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) {
        looked.answerBytes += chunk.length;
        look('an answer', chunk);
      }
      return write(...args);
    };
  };
  return {
    log: {
      write: (line: string) => {
        looked.logLines++;
        look('the log', line);
      },
    },
    listenTo(ownPort: number) {
      port = ownPort;
      subscribe(NET_SOCKET, onSocket);
    },
    async searchDatabase(sql: postgres.Sql) {
      if (FIGURES === undefined) return;
      const tables = await sql<{ name: string }[]>`
        select table_name as name from information_schema.tables where table_schema = 'public'`;
      looked.tables += tables.length;
      for (const { name } of tables)
        for await (const rows of sql`select to_json(t)::text as row from ${sql(name)} t`.cursor(1000)) {
          looked.rows += rows.length;
          for (const { row } of rows) look(`the table ${name}`, String(row));
        }
    },
    /** @throws Error if a secret was found. */
    end() {
      unsubscribe(NET_SOCKET, onSocket);
      if (FIGURES !== undefined) appendFileSync(FIGURES, `${JSON.stringify(looked)}\n`);
      if (found.length > 0) throw new Error(`A secret was found in ${found.join('\n')}`);
    },
  };
}
