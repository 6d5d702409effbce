import { once } from 'node:events';
import postgres from 'postgres';
import { createDataFolder, type ServerProcess } from '../support/server-process.ts';

/** One of several servers on a database, as an operator runs them. */
export interface Instance extends ServerProcess {
  /** The id of its lease. */
  readonly processId: string;
}

export interface Instances extends AsyncDisposable {
  /** Those that are alive, the oldest first. */
  readonly alive: readonly Instance[];
  /** The address of one of them, another one each time: what a load balancer does. */
  readonly url: string;
  start(): Promise<Instance>;
  /** Sends a signal and resolves when the process has ended. One that stops is sent traffic until then. */
  kill(instance: Instance, signal: NodeJS.Signals): Promise<{ readonly code: number | null }>;
  /** The one that runs a response now. */
  ownerOf(responseId: string): Promise<Instance | undefined>;
}

/** All load comes from one caller. */
const UNLIMITED = { MAX_RUNS_PER_KEY: '0', MAX_RUNS_PER_MINUTE: '0' };

/** Starts `count` servers with this environment, which names their database. */
export async function startInstances(
  count: number,
  environment: { readonly DATABASE_URL: string; readonly [key: string]: string },
): Promise<Instances> {
  const folder = await createDataFolder();
  const sql = postgres(environment.DATABASE_URL, { max: 2, onnotice: () => {} });
  const alive: Instance[] = [];
  let turn = 0;
  const start = async () => {
    const known = new Set((await sql`select id from processes`).map(({ id }) => id));
    const server = await folder.run({ ...UNLIMITED, ...environment });
    const fresh = (await sql<{ id: string }[]>`select id from processes`).filter(({ id }) => !known.has(id));
    const instance = { ...server, processId: fresh[0]?.id ?? '' };
    alive.push(instance);
    return instance;
  };
  // One after the other, so that each finds its own lease.
  for (let each = 0; each < count; each++) await start();
  return {
    alive,
    get url() {
      return alive[turn++ % alive.length]?.url ?? '';
    },
    start,
    kill: async (instance, signal) => {
      const forget = () => void alive.splice(alive.indexOf(instance), 1);
      if (signal === 'SIGKILL') forget();
      instance.child.kill(signal);
      const ending = await instance.ended;
      if (signal !== 'SIGKILL') forget();
      return ending;
    },
    ownerOf: async (responseId) => {
      const [row] = await sql`select process_id as owner from responses where id = ${responseId}`;
      return alive.find(({ processId }) => processId === row?.['owner']);
    },
    async [Symbol.asyncDispose]() {
      await sql.end();
      for (const { child } of alive) {
        child.kill('SIGCONT');
        child.kill('SIGKILL');
        if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
      }
      await folder[Symbol.asyncDispose]();
    },
  };
}
