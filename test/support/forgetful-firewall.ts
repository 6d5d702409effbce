import { openDatabaseDoor } from './database-door.ts';

/** Stands between a server and its Postgres, as a firewall that forgets connections. */
export async function startForgetfulFirewall(databaseUrl: string) {
  const door = await openDatabaseDoor(databaseUrl, (client, postgres) => client.pipe(postgres).pipe(client));
  return {
    url: door.url,
    /** Lets nothing through any more on the connections there are; new ones work. */
    forget() {
      for (const socket of door.sockets) socket.unpipe().pause();
    },
    [Symbol.asyncDispose]: door.shut,
  };
}
