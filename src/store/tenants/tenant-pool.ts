import postgres from 'postgres';
import { ARRAYS, backoff, CLIENT, CONNECTION } from '../client.ts';
import { type Fate, type Statement, TENANT_ROLE, TenantConnection } from './tenant-connection.ts';

/** Transactions at once; more wait. */
const MAX_CONNECTIONS = 10;

/**
 * What acts for callers is looked up by an index, always. Row-level security adds a condition that the planner takes to
 * leave a row or two of a table that was small when the plan was made; it would read all of it, in each statement,
 * however large it has become meanwhile.
 */
const PLANNING = { enable_seqscan: 'off' } as const;

/** A connection is used for so long: what Postgres keeps for it grows. In milliseconds. */
const LIFETIME_MS = 45 * 60_000;

/** Of a connection that was idle for so long nobody knows whether it is still there. In milliseconds. */
const DOUBTFUL_MS = 1000;

/** Postgres gives a statement up before: who waits longer has fallen silent. In milliseconds. */
const OVERDUE_MS = CONNECTION.statement_timeout + 5000;

/** What a connection that has broken still has under way is given up after this. In seconds. */
const BROKEN_S = 1;

interface Waiting {
  readonly resolve: (connection: TenantConnection) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The connections that act for callers: for those of one tenant, its home, or for those of any. No connection is made
 * before it is needed; one that broke is not used again.
 */
export class TenantPool {
  private readonly url: string;
  private readonly home: string | null;
  private readonly all = new Set<TenantConnection>();
  private idle: TenantConnection[] = [];
  /** Those in a transaction, with what resolves once it is over. */
  private readonly busy = new Map<TenantConnection, Promise<void>>();
  private waiting: Waiting[] = [];
  private hasEnded = false;

  constructor(url: string, home: string | null = null) {
    this.url = url;
    this.home = home;
  }

  /** Runs a statement as a tenant, in a transaction of its own. */
  async run<Rows extends readonly postgres.MaybeRow[]>(
    tenant: string,
    statement: Statement<Rows>,
  ): Promise<postgres.RowList<Rows>> {
    const connection = await this.take();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.busy.set(connection, promise);
    return connection.run(tenant, statement, (fate) => {
      this.busy.delete(connection);
      this.giveBack(connection, fate);
      resolve();
    });
  }

  /**
   * Asks the connections that were idle for a while whether they are still there: one that a firewall has forgotten
   * says nothing, and whoever were to use it would wait for ever. Resolves once all have answered, be it by breaking,
   * and what has been under way for longer than Postgres allows is over. Null: there is nothing to ask.
   */
  ask(): Promise<unknown> | null {
    const now = performance.now();
    const doubtful = this.idle.filter(({ usedAt }) => now - usedAt > DOUBTFUL_MS);
    this.idle = this.idle.filter((each) => !doubtful.includes(each));
    const asked = doubtful.map((each) => {
      const back = (fate: Fate) => () => this.giveBack(each, fate);
      return each.ping().then(back('whole'), back('broken'));
    });
    for (const [{ usedAt }, over] of this.busy) if (now - usedAt > OVERDUE_MS) asked.push(over);
    return asked.length === 0 ? null : Promise.all(asked);
  }

  /** What is under way may take so long, in seconds; what waits fails with this code. */
  async end(timeout: number, code: 'CONNECTION_ENDED' | 'ETIMEDOUT'): Promise<void> {
    this.hasEnded = true;
    for (const { reject } of this.waiting) reject(ended(code));
    this.waiting = [];
    await Promise.all([...this.all].map((connection) => connection.end(timeout)));
  }

  private async take(): Promise<TenantConnection> {
    if (this.hasEnded) throw ended('CONNECTION_ENDED');
    // The last used first: the others may grow old.
    for (let last = this.idle.pop(); last !== undefined; last = this.idle.pop()) {
      if (!last.isBroken) return last;
      this.drop(last);
    }
    if (this.all.size < MAX_CONNECTIONS) return this.open();
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
    });
  }

  private giveBack(connection: TenantConnection, fate: Fate): void {
    if (this.hasEnded) return;
    const isGood =
      fate === 'whole' && !connection.isBroken && performance.now() - connection.openedAt < LIFETIME_MS;
    if (!isGood) this.drop(connection);
    const next = this.waiting.shift();
    if (next !== undefined) next.resolve(isGood ? connection : this.open());
    else if (isGood) this.idle.push(connection);
  }

  private open(): TenantConnection {
    const atHome = this.home === null ? {} : { 'app.tenant': this.home };
    const connection = new TenantConnection(this.home, (onclose) =>
      postgres(this.url, {
        ...CLIENT,
        backoff,
        max: 1,
        max_lifetime: null, // it would close between two steps of a transaction
        connection: { ...CONNECTION, ...PLANNING, ...atHome, role: TENANT_ROLE },
        types: ARRAYS,
        onclose,
      }),
    );
    this.all.add(connection);
    return connection;
  }

  private drop(connection: TenantConnection): void {
    this.all.delete(connection);
    void connection.end(BROKEN_S);
  }
}

function ended(code: string): Error {
  return Object.assign(new Error('The connections have been closed.'), { code });
}
