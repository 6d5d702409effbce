import type { RequestError } from '../../protocol/request-error.ts';

/** What one caller may have of one process. Infinity: no limit. */
export interface CallerLimits {
  /** Runs at once that are waited for or followed. */
  readonly runs: number;
  /** Runs started in a minute, as many of them at once. */
  readonly runsPerMinute: number;
}

/** A run that a caller may start. Disposed of before `use` it has not been; before `keepUntil` it has ended. */
export interface Admission extends Disposable {
  /** The run has been started: from now on that counts. */
  use(): void;
  /** The run is in flight until then. */
  keepUntil(ended: Promise<unknown>): void;
}

export type Refusal = RequestError & { readonly retryAfterSeconds: number };

interface Account {
  inFlight: number;
  /**
   * The time until which the runs that were started would take, one after the other at the rate that is allowed. It
   * may lie a minute ahead, so that a minute's worth can be started at once. In milliseconds.
   */
  busyUntil: number;
}

/** A run takes seconds to minutes, and there are many. */
const RETRY_AFTER_SECONDS = 5;

const MINUTE_MS = 60_000;

/** What callers have in flight and have started lately, in this process. */
export class Quotas {
  private readonly limits: CallerLimits;
  private readonly now: () => number;
  private readonly accounts = new Map<string, Account>();
  private sweptAt = 0;

  constructor(limits: CallerLimits, now: () => number = () => performance.now()) {
    this.limits = limits;
    this.now = now;
  }

  /** Lets a caller start a run, or says when it is worth trying again. Runs in the background count as started only. */
  admit(key: string, { inBackground }: { readonly inBackground: boolean }): Admission | Refusal {
    const { runs, runsPerMinute } = this.limits;
    const each = MINUTE_MS / runsPerMinute;
    const account = this.account(key);
    const weight = inBackground ? 0 : 1;
    if (account.inFlight + weight > runs)
      return tooMany('This caller has as many responses in flight as it may.', RETRY_AFTER_SECONDS);
    const wait = account.busyUntil + each - MINUTE_MS - this.now();
    if (wait > 0)
      return tooMany('This caller has started as many responses as it may for now.', Math.ceil(wait / 1000));
    account.busyUntil += each;
    account.inFlight += weight;
    let isUsed = false;
    let isKept = false;
    const release = () => {
      account.inFlight -= weight;
    };
    return {
      use() {
        isUsed = true;
      },
      keepUntil(ended) {
        isKept = true;
        void ended.then(release, release);
      },
      [Symbol.dispose]() {
        if (!isUsed) account.busyUntil -= each;
        if (!isKept) release();
      },
    };
  }

  private account(key: string): Account {
    this.sweep();
    const now = this.now();
    const account = this.accounts.get(key) ?? { inFlight: 0, busyUntil: now };
    account.busyUntil = Math.max(account.busyUntil, now);
    this.accounts.set(key, account);
    return account;
  }

  /** An account with nothing in it is as good as a new one. */
  private sweep(): void {
    const now = this.now();
    if (now - this.sweptAt < MINUTE_MS) return;
    this.sweptAt = now;
    for (const [key, { inFlight, busyUntil }] of this.accounts)
      if (inFlight === 0 && busyUntil <= now) this.accounts.delete(key);
  }
}

function tooMany(message: string, retryAfterSeconds: number): Refusal {
  return { code: 'LIMIT_EXCEEDED', message, path: null, retryAfterSeconds };
}
