import { readdirSync } from 'node:fs';
import { residentKb, threadsOf } from '../support/cpu.ts';

/** What the server holds at one moment. */
export interface Reading {
  /** Since the soak began, in seconds. */
  readonly at: number;
  readonly residentMb: number;
  /** Open files and sockets. */
  readonly handles: number;
  readonly threads: number;
}

export function readingOf(pid: number, at: number): Reading {
  return {
    at,
    residentMb: residentKb(pid) / 1024,
    handles: readdirSync(`/proc/${pid}/fd`).length,
    threads: threadsOf(pid).length,
  };
}

/** How a figure moved: a straight line through its readings. */
export interface Trend {
  readonly mean: number;
  readonly perHour: number;
  /** What the line rises by between the first reading and the last. */
  readonly growth: number;
}

/** Over the last two thirds: what comes before is warming up. */
export function trendOf(readings: readonly Reading[], figure: (reading: Reading) => number): Trend {
  const late = readings.slice(Math.floor(readings.length / 3));
  const mean = average(late.map(figure));
  const middle = average(late.map(({ at }) => at));
  const rise = late.reduce((sum, reading) => sum + (reading.at - middle) * (figure(reading) - mean), 0);
  const run = late.reduce((sum, { at }) => sum + (at - middle) ** 2, 0);
  const slope = run === 0 ? 0 : rise / run;
  return { mean, perHour: slope * 3600, growth: slope * ((late.at(-1)?.at ?? 0) - (late[0]?.at ?? 0)) };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
