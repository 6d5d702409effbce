import type { ResponseId } from '../../protocol/ids.ts';
import type { Scope } from '../../protocol/scope.ts';
import type { Tenants } from '../../store/database.ts';
import { type LogPage, readLog } from '../../store/event-log.ts';

/** A place in the log of a response, for whoever has everything up to the number `after`. */
export interface LogPlace {
  readonly scope: Scope;
  readonly responseId: ResponseId;
  readonly after: number;
}

/** Reads pages of logs. Followers that are woken together stand at the same place: one statement serves all of them. */
export class LogReader {
  private readonly tenants: Tenants;
  private readonly reads = new Map<string, Promise<LogPage>>();

  constructor(tenants: Tenants) {
    this.tenants = tenants;
  }

  /** The page as of now, or later: never what a statement sent before has found. */
  read(place: LogPlace): Promise<LogPage> {
    const { scope, responseId, after } = place;
    const key = JSON.stringify([scope.tenant, responseId, after]);
    const shared = this.reads.get(key);
    if (shared !== undefined) return shared;
    const { promise, resolve } = Promise.withResolvers<LogPage>();
    this.reads.set(key, promise);
    setImmediate(() => {
      this.reads.delete(key); // whoever comes now needs a look of its own
      resolve(readLog(this.tenants, scope, { responseId, after }));
    });
    return promise;
  }
}
