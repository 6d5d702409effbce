import type { Database } from '../store/database.ts';
import type { WakeUps } from '../store/wake-ups.ts';
import type { LeaseTimes } from './owning/leases.ts';
import type { CallerLimits } from './run/quotas.ts';
import type { RunDependencies } from './run/run-response.ts';

export interface EngineOptions extends RunDependencies {
  readonly database: Database;
  readonly wakeUps: WakeUps;
  readonly defaultModel: string | null;
  /** True: MCP servers and images may be at private addresses. */
  readonly allowPrivate: boolean;
  readonly leaseTimes: LeaseTimes;
  /** How often the log is asked about responses that run elsewhere. In milliseconds. */
  readonly pollMs: number;
  /** How long a run that nobody waits for or follows goes on. In milliseconds. */
  readonly detachGraceMs: number;
  /** How long after its end a response can be replayed event by event. */
  readonly retentionMinutes: number;
  /** Runs at once that somebody waits for or follows, and runs at once in the background. */
  readonly maxRuns: number;
  readonly maxBackgroundRuns: number;
  readonly perCaller: CallerLimits;
  /** True: deltas are joined while this process has more to do than it gets done. */
  readonly joinsDeltas: boolean;
  /** True if no other process can be using the database: whoever has a lease there is dead. */
  readonly alone: boolean;
}
