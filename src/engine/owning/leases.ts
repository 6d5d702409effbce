import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../store/database.ts';
import {
  declareExpiredDead,
  endProcess,
  forgetEndedProcesses,
  registerProcess,
  renewLease,
} from '../../store/processes.ts';
import type { Logger } from '../../util/logger.ts';

/** How long a lease lasts by the database's clock, how often it is renewed, and how often others are looked at. */
export interface LeaseTimes {
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly sweepMs: number;
}

export const LEASE_TIMES: LeaseTimes = { leaseMs: 10_000, renewMs: 3_000, sweepMs: 5_000 };

/** Between two tries to renew a lease that may have run out. In milliseconds. */
const RETRY_MS = 250;

export interface LeaseOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly times: LeaseTimes;
  /** This process has been declared dead: its runs are somebody else's. */
  readonly onLost: () => void;
  /** Ends what dead processes have left. */
  readonly onSweep: () => Promise<void>;
}

/**
 * The lease of this process: one row that says it lives. Runs name it as their owner, and every commit checks it.
 * A process that was declared dead although it lives gives up its runs and begins again under a new id.
 */
export class Lease {
  private readonly options: LeaseOptions;
  private timers: NodeJS.Timeout[] = [];
  private currentId = newId();
  private sweepFrom = 0;
  /** When the last renewal that succeeded was sent, by a clock that nobody sets. */
  private renewedAt = 0;
  private assuring: Promise<void> | null = null;
  private stopped = false;
  private alone = false;
  private busy = { renew: false, sweep: false };

  constructor(options: LeaseOptions) {
    this.options = options;
  }

  /** True if no other process was alive at the last renewal. One that has come since polls for a while. */
  get isAlone(): boolean {
    return this.alone;
  }

  get processId(): string {
    return this.currentId;
  }

  async start(): Promise<void> {
    const { database, times } = this.options;
    const began = performance.now();
    await registerProcess(database, this.currentId, times.leaseMs);
    this.renewedAt = began;
    this.timers = [
      setInterval(() => void this.once('renew', () => this.renew()), times.renewMs),
      setInterval(() => void this.once('sweep', () => this.sweep()), times.sweepMs),
    ];
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearInterval(timer);
    await endProcess(this.options.database, this.currentId);
  }

  /** Gives up the runs of the id that was declared dead; new ones belong to a new id. Never throws. */
  async lost(deadId: string): Promise<void> {
    if (deadId !== this.currentId || this.stopped) return; // known already, or of no interest
    const { database, logger, times, onLost } = this.options;
    logger.error({ processId: deadId }, 'this process was declared dead; its runs are given up');
    this.currentId = newId();
    onLost();
    try {
      const began = performance.now();
      await registerProcess(database, this.currentId, times.leaseMs);
      this.renewedAt = began;
    } catch (error) {
      logger.warn({ error }, 'the new lease could not be taken yet'); // the next renewal tries another
    }
  }

  /**
   * Null while the lease is known to hold: nobody can have declared this process dead. After a pause of the process
   * or of the database it is renewed first, however long that takes; then ask again.
   */
  assure(): Promise<void> | null {
    const { leaseMs, renewMs } = this.options.times;
    if (this.stopped || performance.now() - this.renewedAt < leaseMs - Math.min(renewMs, leaseMs) / 2)
      return null;
    this.assuring ??= this.reassure().finally(() => {
      this.assuring = null;
    });
    return this.assuring;
  }

  private async reassure(): Promise<void> {
    const id = this.currentId;
    while (!this.stopped && (await this.renew()) === null && id === this.currentId)
      await delay(RETRY_MS, undefined, { ref: false });
  }

  /** The time by the database's clock; null if that could not be had, or this process was declared dead. */
  private async renew(): Promise<string | null> {
    const { database, logger, times } = this.options;
    const began = performance.now();
    try {
      const id = this.currentId;
      const renewal = await database.inTime(renewLease(database, id, times.leaseMs), times.leaseMs / 2);
      if (renewal === null) await this.lost(id);
      else {
        this.renewedAt = began;
        this.alone = renewal.isAlone;
      }
      // A database may be away without refusing anything: then it answers late.
      if (performance.now() - began > times.leaseMs / 4) this.spareOthers();
      return renewal?.time ?? null;
    } catch (error) {
      this.spareOthers();
      logger.warn({ error }, 'the lease could not be renewed');
      return null;
    }
  }

  /** While the database is away nobody can renew: the others get a lease's time before they are called dead. */
  private spareOthers(): void {
    this.sweepFrom = performance.now() + this.options.times.leaseMs;
  }

  private async sweep(): Promise<void> {
    if (performance.now() < this.sweepFrom) return;
    try {
      const time = await this.renew(); // after a pause of this process: not the others alone have fallen silent
      if (time === null || performance.now() < this.sweepFrom) return;
      await declareExpiredDead(this.options.database, this.currentId, time);
      await this.options.onSweep();
      await forgetEndedProcesses(this.options.database);
    } catch (error) {
      this.spareOthers();
      this.options.logger.warn({ error }, 'the sweep for dead processes failed');
    }
  }

  private async once(task: 'renew' | 'sweep', work: () => Promise<unknown>): Promise<void> {
    if (this.busy[task]) return;
    this.busy[task] = true;
    await work().finally(() => {
      this.busy[task] = false;
    });
  }
}

function newId(): string {
  return `proc_${randomUUID()}`;
}
