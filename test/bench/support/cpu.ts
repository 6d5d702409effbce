import { readdirSync, readFileSync } from 'node:fs';

/** CPU that a process has used since it began, in microseconds. */
export interface Cpu {
  /** All its threads together. */
  readonly total: number;
  /** The thread that runs the JavaScript. */
  readonly main: number;
  /** How long that thread could have run but was not let. */
  readonly waited: number;
}

/** From the kernel's scheduler, which counts nanoseconds for each thread. A process that has gone counts nothing. */
export function cpuOf(pid: number): Cpu {
  const threads = threadsOf(pid).map((thread) => ({ thread, ...timesOf(pid, thread) }));
  const main = threads.find(({ thread }) => thread === pid);
  return {
    total: threads.reduce((sum, { ran }) => sum + ran, 0),
    main: main?.ran ?? 0,
    waited: main?.waited ?? 0,
  };
}

export function threadsOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** In microseconds. */
function timesOf(pid: number, thread: number): { readonly ran: number; readonly waited: number } {
  try {
    const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1');
    const [ran = 0, waited = 0] = text.split(' ').map(Number);
    return { ran: ran / 1000, waited: waited / 1000 };
  } catch {
    return { ran: 0, waited: 0 };
  }
}

/** The memory of a process that is in RAM, in kilobytes. */
export function residentKb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
}

/** The processes that this one has started and that live. */
export function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
