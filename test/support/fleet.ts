import { type ChatServer, startChatServer } from './chat-server.ts';
import { startDatabaseProxy } from './database-proxy.ts';
import { startTestApp, type TestApp, type TestAppOptions } from './test-app.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** Several instances on one database, of which some can die. They share an upstream. */
export interface Fleet extends AsyncDisposable {
  readonly upstream: ChatServer;
  readonly database: TestDatabase;
  /** An instance that looks after the others often, and lives until the end. */
  start(options?: FleetOptions): Promise<TestApp>;
  /** An instance that can be taken off the database. */
  startMortal(options?: FleetOptions): Promise<Mortal>;
}

export type FleetOptions = Omit<TestAppOptions, 'beside'>;

export interface Mortal extends TestApp {
  /** From now on nothing of it reaches the database, and nothing reaches it from there; nobody knows yet. */
  freeze(): void;
  /** The same, and it is declared dead. */
  die(): Promise<void>;
  /** Its connections go on where they stood. */
  thaw(): void;
}

/** Its lease never runs out by itself: it dies when it is told to. */
const MORTAL = { lease: { leaseMs: 3_600_000, renewMs: 3_600_000, sweepMs: 500 } };
const WATCHFUL = { lease: { leaseMs: 10_000, renewMs: 1000, sweepMs: 50 } };

export async function startFleet(): Promise<Fleet> {
  const upstream = await startChatServer();
  const database = await createTestDatabase();
  const beside = { upstream, database };
  const ends: (() => PromiseLike<void>)[] = [];
  const start = async ({ config, timing }: FleetOptions = {}) => {
    const app = await startTestApp({ beside, config, timing: { ...WATCHFUL, ...timing } });
    ends.push(() => app.app.stop());
    return app;
  };
  return {
    upstream,
    database,
    start,
    async startMortal({ config, timing } = {}) {
      const proxy = await startDatabaseProxy(database.url);
      const through = { databaseUrl: proxy.url, modelIdleTimeoutMs: 60_000, ...config };
      const before = await processes(database);
      ends.push(() => proxy[Symbol.asyncDispose]());
      const app = await start({ config: through, timing: { ...MORTAL, ...timing } });
      ends.push(async () => proxy.thaw()); // or its stop would wait in vain
      const [own, other] = (await processes(database)).filter((id) => !before.includes(id));
      if (own === undefined || other !== undefined) throw new Error('Nobody knows which process it is.');
      return {
        ...app,
        freeze: () => proxy.freeze(),
        thaw: () => proxy.thaw(),
        async die() {
          proxy.freeze();
          await database.sql`update processes set ended_at = now() where id = ${own}`;
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const end of ends.reverse()) await end();
      await upstream[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function processes({ sql }: TestDatabase): Promise<readonly string[]> {
  return (await sql<{ id: string }[]>`select id from processes`).map(({ id }) => id);
}
