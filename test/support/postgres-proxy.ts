import { openDatabaseDoor } from './database-door.ts';

/** A door to Postgres that counts what goes through and can be shut. */
export interface PostgresProxy extends AsyncDisposable {
  /** The database's URL through this door. */
  readonly url: string;
  /** Statements executed so far. */
  readonly executed: number;
  /** Their texts, in order. */
  readonly statements: readonly string[];
  /** Cuts every connection and takes no more. */
  shut(): Promise<void>;
}

/** True of what a server does beside the requests: it looks after its lease, its runs and its queue, and wakes others. */
export function isHousekeeping(statement: string): boolean {
  return /pg_notify|^listen|^select 1$|^select current_user|^begin|^commit$|dead as|cancel_requested_at|(update|into) processes/.test(
    statement.trim(),
  );
}

const [EXECUTE, SIMPLE_QUERY, PARSE, BIND] = Buffer.from('EQPB');

export async function startPostgresProxy(databaseUrl: string): Promise<PostgresProxy> {
  const statements: string[] = [];
  const { url, shut } = await openDatabaseDoor(databaseUrl, (client, postgres) => {
    const prepared = new Map<string, string>();
    let bound = '';
    const note = messageReader((type, body) => {
      const [first = '', second = ''] = body.toString().split('\0');
      if (type === PARSE) prepared.set(first, second);
      else if (type === BIND) bound = prepared.get(second) ?? '';
      else if (type === EXECUTE) statements.push(bound);
      else if (type === SIMPLE_QUERY) statements.push(first);
    });
    client.on('data', note);
    client.pipe(postgres).pipe(client);
  });
  return {
    url,
    get executed() {
      return statements.length;
    },
    statements,
    shut,
    [Symbol.asyncDispose]: shut,
  };
}

/** Reads a client's messages: their types and bodies. The first, which opens the session, has a length and no type. */
function messageReader(onMessage: (type: number, body: Buffer) => void): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let opened = false;
  return (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const at = opened ? 1 : 0;
      if (rest.length < at + 4) return;
      const end = at + rest.readUInt32BE(at);
      if (rest.length < end) return;
      if (opened) onMessage(rest[0] ?? 0, rest.subarray(at + 4, end));
      opened = true;
      rest = rest.subarray(end);
    }
  };
}
