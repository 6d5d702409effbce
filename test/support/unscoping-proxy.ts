import { openDatabaseDoor } from './database-door.ts';

/** Stands between a server and its Postgres and takes from its statements what they say of tenants. */
export interface UnscopingProxy extends AsyncDisposable {
  /** The database's URL, through the proxy. */
  readonly url: string;
  /** Statements as they went on, of those that had said something. */
  readonly rewritten: ReadonlySet<string>;
  /** Statements that went on as they came. */
  readonly untouched: ReadonlySet<string>;
}

const PARSE = 'P'.charCodeAt(0);

/** What statements say of tenants, and what they say without. Of metadata they look for what `victim` has. */
function unscoped(statement: string, victim: string): string {
  return statement
    .replace(/[\w."]*\btenant"? = (\$\d+)/g, '$1::text is not null')
    .replace(/\b(\w+\.tenant) = \w+\.tenant\b/g, '$1 is not null')
    .replace(/\((\w+\.\w+), r\.tenant\) (not )?in \(\s*select id, tenant from/g, '$1 $2in (select id from')
    .replace(/metadata_pairs\((\$\d+), /g, `metadata_pairs(case when $1::text <> '' then '${victim}' end, `);
}

export async function startUnscopingProxy(databaseUrl: string, victim: string): Promise<UnscopingProxy> {
  const rewritten = new Set<string>();
  const untouched = new Set<string>();
  const rewrite = (statement: string): string => {
    const result = unscoped(statement, victim);
    (result === statement ? untouched : rewritten).add(result);
    return result;
  };
  const door = await openDatabaseDoor(databaseUrl, (client, postgres) => {
    client.on(
      'data',
      messageRewriter(rewrite, (bytes) => void postgres.write(bytes)),
    );
    postgres.pipe(client);
  });
  return { url: door.url, rewritten, untouched, [Symbol.asyncDispose]: door.shut };
}

/** Passes a client's messages on, with the texts of statements rewritten. The first message has no type. */
function messageRewriter(rewrite: (statement: string) => string, write: (bytes: Buffer) => void) {
  let rest: Buffer = Buffer.alloc(0);
  let opened = false;
  return (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const at = opened ? 1 : 0;
      if (rest.length < at + 4) return;
      const end = at + rest.readUInt32BE(at);
      if (rest.length < end) return;
      const message = rest.subarray(0, end);
      write(opened && message[0] === PARSE ? rewriteParse(message, rewrite) : message);
      opened = true;
      rest = rest.subarray(end);
    }
  };
}

function rewriteParse(message: Buffer, rewrite: (statement: string) => string): Buffer {
  const from = message.indexOf(0, 5) + 1;
  const to = message.indexOf(0, from);
  const text = Buffer.from(rewrite(message.toString('utf8', from, to)));
  const result = Buffer.concat([message.subarray(0, from), text, message.subarray(to)]);
  result.writeUInt32BE(result.length - 1, 1);
  return result;
}
