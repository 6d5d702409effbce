import { randomUUID } from 'node:crypto';
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
  private stopped = false;
  private busy = { renew: false, sweep: false };

  constructor(options: LeaseOptions) {
    this.options = options;
  }

  get processId(): string {
    return this.currentId;
  }

  async start(): Promise<void> {
    const { database, times } = this.options;
    await registerProcess(database, this.currentId, times.leaseMs);
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
      await registerProcess(database, this.currentId, times.leaseMs);
    } catch (error) {
      logger.warn({ error }, 'the new lease could not be taken yet'); // the next renewal tries another
    }
  }

  /** The time by the database's clock; null if that could not be had, or this process was declared dead. */
  private async renew(): Promise<string | null> {
    const { database, logger, times } = this.options;
    const began = Date.now();
    try {
      const id = this.currentId;
      const time = await renewLease(database, id, times.leaseMs);
      if (time === null) await this.lost(id);
      // A database may be away without refusing anything: then it answers late.
      if (Date.now() - began > times.leaseMs / 4) this.spareOthers();
      return time;
    } catch (error) {
      this.spareOthers();
      logger.warn({ error }, 'the lease could not be renewed');
      return null;
    }
  }

  /** While the database is away nobody can renew: the others get a lease's time before they are called dead. */
  private spareOthers(): void {
    this.sweepFrom = Date.now() + this.options.times.leaseMs;
  }

  private async sweep(): Promise<void> {
    if (Date.now() < this.sweepFrom) return;
    try {
      const time = await this.renew(); // after a pause of this process: not the others alone have fallen silent
      if (time === null || Date.now() < this.sweepFrom) return;
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
