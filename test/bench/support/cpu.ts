import { readdirSync, readFileSync } from 'node:fs';

/** CPU that a process has used since it began, in microseconds. */
export interface Cpu {
  /** All its threads together. */
  readonly total: number;
  /** The thread that runs the JavaScript. */
  readonly main: number;
}

/** From the kernel's scheduler, which counts nanoseconds for each thread. A process that has gone counts nothing. */
export function cpuOf(pid: number): Cpu {
  const threads = threadsOf(pid).map((thread) => [thread, nanoseconds(pid, thread)] as const);
  const total = threads.reduce((sum, [, each]) => sum + each, 0);
  const main = threads.find(([thread]) => thread === pid)?.[1] ?? 0;
  return { total: total / 1000, main: main / 1000 };
}

export function threadsOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

function nanoseconds(pid: number, thread: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
  } catch {
    return 0;
  }
}

/** The memory of a process that is in RAM, in kilobytes. */
export function residentKb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
}

/** The processes whose parent this is. */
export function childrenOf(pid: number): readonly number[] {
  const all = readdirSync('/proc').map(Number).filter(Boolean);
  return all.filter((each) => parentOf(each) === pid);
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
