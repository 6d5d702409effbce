import type { Socket } from 'node:net';
import { openDatabaseDoor } from './database-door.ts';

/** Stands between a server and its Postgres, so that a test can take the database away. */
export interface DatabaseProxy extends AsyncDisposable {
  /** The database's URL, through the proxy. */
  readonly url: string;
  /** Cuts every connection and refuses new ones. */
  goAway(): Promise<void>;
  /** Takes connections again, on the same port. */
  comeBack(): Promise<void>;
  /** Lets nothing through any more, without a word, as a lost network or a stopped machine does. */
  freeze(): void;
  /** Lets everything through that has waited. */
  thaw(): void;
  /** Keeps what Postgres answers to itself, and cuts the connection, once a request contains these words. */
  swallowAnswerTo(words: string): Promise<void>;
  /**
   * Holds back the next request that contains these words, and whatever follows it on its connection. Resolves once
   * it has come, with a function that lets it through.
   */
  holdBack(words: string): Promise<() => void>;
}

export async function startDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const clients = new Set<Socket>();
  let frozen = false;
  let gate: { readonly words: string; readonly reached: (open: () => void) => void } | null = null;
  let trap: { readonly words: string; readonly sprung: () => void } | null = null;
  const door = await openDatabaseDoor(databaseUrl, (client, postgres) => {
    let muted = false;
    if (frozen) client.pause();
    clients.add(client);
    client.on('close', () => clients.delete(client));
    client.on('data', (bytes) => {
      if (trap !== null && bytes.includes(trap.words)) {
        const { sprung } = trap;
        trap = null;
        muted = true;
        sprung();
      }
      if (gate !== null && bytes.includes(gate.words)) {
        const { reached } = gate;
        gate = null;
        client.pause();
        return reached(() => {
          postgres.write(bytes);
          client.resume();
        });
      }
      postgres.write(bytes);
    });
    postgres.on('data', (bytes) => {
      if (muted)
        client.destroy(); // it has been done, and nobody is told
      else client.write(bytes);
    });
  });
  return {
    url: door.url,
    goAway: door.shut,
    comeBack: door.reopen,
    freeze: () => {
      frozen = true;
      for (const client of clients) client.pause();
    },
    thaw: () => {
      frozen = false;
      for (const client of clients) client.resume();
    },
    swallowAnswerTo: (words) =>
      new Promise((sprung) => {
        trap = { words, sprung };
      }),
    holdBack: (words) =>
      new Promise((reached) => {
        gate = { words, reached };
      }),
    [Symbol.asyncDispose]: door.shut,
  };
}
