import postgres from 'postgres';

/** The only rows that a statement may give: objects. */
type AnyRows = readonly postgres.MaybeRow[];

/** One statement, made with the connection that is to run it. */
export type Statement<Rows extends AnyRows> = (sql: postgres.Sql) => postgres.PendingQuery<Rows>;

/** The role that what acts for callers has: row-level security holds for it. */
export const TENANT_ROLE = 'responses_tenant';

/** What became of a connection in a transaction. */
export type Fate = 'whole' | 'broken';

/**
 * A connection that acts for one tenant at a time: a client of the library with a single connection, which nobody
 * uses but the transaction that has it. (A connection that the library's pool reserves is no good once it breaks:
 * what waits for its turn there is forgotten, and what is sent on it then ends the process.)
 */
export class TenantConnection {
  readonly openedAt = performance.now();
  /** When it was last heard of, or given something to do. */
  usedAt = this.openedAt;
  private readonly sql: postgres.Sql;
  /** The tenant whose connection it is from its beginning to its end; null if each transaction says its own. */
  private readonly home: string | null;
  private isOpen = false;
  private hasBroken = false;

  /**
   * The client must have the role of tenants, a single connection, and call the function when that closes. With a
   * `home` its connections must begin with the setting `app.tenant` at that.
   */
  constructor(home: string | null, open: (onclose: () => void) => postgres.Sql) {
    this.home = home;
    this.sql = open(() => {
      this.hasBroken = true; // it would connect again by itself, as if nothing had happened
    });
  }

  get isBroken(): boolean {
    return this.hasBroken;
  }

  /**
   * Runs a statement in a transaction of its own with the tenant set, all of it sent at once: if the beginning fails,
   * the statement is refused or finds nothing. At home the tenant is set already, and a statement is a transaction by
   * itself. `over` is called once the transaction is, be it after this has rejected.
   */
  async run<Rows extends AnyRows>(
    tenant: string,
    statement: Statement<Rows>,
    over: (fate: Fate) => void,
  ): Promise<postgres.RowList<Rows>> {
    this.usedAt = performance.now();
    const steps: Promise<unknown>[] = [];
    const sent = <Result>(step: PromiseLike<Result>): Promise<Result> => {
      const promise = Promise.resolve(step.then((result) => result)); // which sends it: the order is that of the calls
      steps.push(promise);
      return promise;
    };
    try {
      if (!this.isOpen) await sent(this.open());
      if (this.home !== null) {
        if (tenant !== this.home) throw new Error('A connection is to act for another tenant than its own.');
        const rows = await sent(statement(this.sql));
        if (this.hasBroken) throw lost();
        over('whole');
        return rows;
      }
      const begin = `begin; set local app.tenant = ${toLiteral(tenant)}`;
      const begun = sent(this.sql.unsafe(begin));
      const found = sent(statement(this.sql));
      const ended = sent(this.sql.unsafe('commit'));
      const [, rows, { command }] = await Promise.all([begun, found, ended]);
      // What waited for its turn may have been sent on a new connection, or once more: there the tenant is not set.
      if (this.hasBroken || command !== 'COMMIT') throw lost();
      void Promise.allSettled(steps).then(() => over('whole'));
      return rows;
    } catch (error) {
      const outcomes = Promise.allSettled(steps);
      if (isRefusal(error))
        void outcomes.then((all) => over(all.every(isClean) && !this.hasBroken ? 'whole' : 'broken'));
      else over('broken');
      throw error;
    }
  }

  /** Resolves once the other side has answered. `run` nothing meanwhile. */
  async ping(): Promise<void> {
    await this.sql`select 1`;
    this.usedAt = performance.now();
  }

  /** What is under way may take so long, in seconds. */
  end(timeout: number): Promise<void> {
    return this.sql.end({ timeout });
  }

  /** The first query of a new connection is sent alone: then it may as well tell that the role is what it must be. */
  private async open(): Promise<void> {
    const [row] = await this.sql<[{ role: string }]>`select current_user as role`;
    if (row.role !== TENANT_ROLE)
      throw new Error(`A connection for tenants has the role "${row.role}" instead of "${TENANT_ROLE}".`);
    this.isOpen = true;
  }
}

/** Postgres has refused something: the connection is as good as before. */
function isRefusal(error: unknown): boolean {
  return error instanceof postgres.PostgresError;
}

function isClean(outcome: PromiseSettledResult<unknown>): boolean {
  return outcome.status === 'fulfilled' || isRefusal(outcome.reason);
}

function lost(): Error {
  return Object.assign(new Error('The connection broke.'), { code: 'CONNECTION_CLOSED' });
}

/** As Postgres reads it, whatever it is told of backslashes. Throws for what no row can have as its tenant. */
function toLiteral(tenant: string): string {
  if (tenant === '' || tenant.includes('\0') || !tenant.isWellFormed())
    throw new Error('A tenant must have a name that Postgres can hold.');
  return `E'${tenant.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
