import type { Database } from '../../store/database.ts';
import { noteUse } from '../../store/keys.ts';
import type { Logger } from '../../util/logger.ts';

/** Between two notes about the same key. In milliseconds. */
const NOTED_FOR_MS = 60_000;

/** Uses gather for so long before they are noted. In milliseconds. */
const GATHER_MS = 200;

/** Notes when keys were last used, beside the path of requests: each at most once a minute. */
export class KeyUses {
  private readonly database: Database;
  private readonly logger: Logger;
  /** By id, when it was noted last. */
  private readonly noted = new Map<string, number>();
  private used = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(database: Database, logger: Logger) {
    this.database = database;
    this.logger = logger;
  }

  /** To be called with every use; costs a look into a map. */
  add(id: string): void {
    const now = performance.now();
    if (now - (this.noted.get(id) ?? Number.NEGATIVE_INFINITY) < NOTED_FOR_MS) return;
    this.noted.set(id, now);
    this.used.add(id);
    this.timer ??= setTimeout(() => void this.write(), GATHER_MS).unref();
  }

  /** What is not noted by now never will be. */
  close(): void {
    clearTimeout(this.timer);
  }

  private async write(): Promise<void> {
    this.timer = undefined;
    const ids = [...this.used];
    this.used = new Set();
    const old = performance.now() - NOTED_FOR_MS;
    for (const [id, at] of this.noted) if (at < old) this.noted.delete(id);
    await noteUse(this.database, ids).catch((error: unknown) => {
      this.logger.debug({ error }, 'the use of keys could not be noted');
      for (const id of ids) this.noted.delete(id);
    });
  }
}
