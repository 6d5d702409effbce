import postgres from 'postgres';
import { vi } from 'vitest';

/** A commit of events that stands still in the middle: it holds its locks, and nobody sees what it has written. */
export interface HeldCommit extends AsyncDisposable {
  /** Resolves once it stands still. */
  readonly reached: () => Promise<void>;
  /** True if somebody waits for a row that another transaction has locked. */
  readonly isWaitedFor: () => Promise<boolean>;
  readonly letGo: () => Promise<void>;
}

/** Any number that nobody else uses. */
const LOCK = 42;

/** Holds the first commit whose events contain these words. It has its locks on processes and responses by then. */
export async function holdCommit({ url }: { readonly url: string }, words: string): Promise<HeldCommit> {
  const watcher = postgres(url, { max: 1 });
  const holder = postgres(url, { max: 1 }); // the lock is its connection's
  await holder`select pg_advisory_lock(${LOCK})`;
  await watcher.unsafe(`
    create function hold() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock(${LOCK}); return new; end $$;
    create trigger hold before insert on events for each row
      when (new.body like '%${words}%') execute function hold()`);
  const waitsFor = async (events: readonly string[]) => {
    const found = await watcher`
      select 1 from pg_stat_activity where datname = current_database() and wait_event in ${watcher(events)}`;
    return found.length > 0;
  };
  return {
    reached: async () => {
      await vi.waitUntil(() => waitsFor(['advisory']), { interval: 10, timeout: 5000 });
    },
    isWaitedFor: () => waitsFor(['transactionid', 'tuple']),
    letGo: async () => {
      await holder`select pg_advisory_unlock(${LOCK})`;
    },
    async [Symbol.asyncDispose]() {
      await holder.end();
      await watcher.end();
    },
  };
}
