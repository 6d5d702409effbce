import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism, setPriority } from 'node:os';
import { messageOf } from '../../../src/util/errors.ts';

/** The core of the server that is measured. */
export const SERVER_CORE = 0;

/** The core of everything else: the upstream, the clients, and the server's Postgres. */
export const LOAD_CORE = 1;

/** Without `taskset` or a second core nothing is pinned, and the results say so. */
export const canPin =
  availableParallelism() > 1 && spawnSync('taskset', ['-pc', `${process.pid}`]).status === 0;

/** Keeps every thread of a process, and what it starts later, on one core. */
export function pin(pid: number, core: number): void {
  if (canPin) spawnSync('taskset', ['-apc', `${core}`, `${pid}`]);
}

/** A command line that runs on one core from its start. */
export function pinned(command: readonly string[], core: number): readonly string[] {
  return canPin ? ['taskset', '-c', `${core}`, ...command] : command;
}

/** As `nice` counts: every other program gets about a tenth of a core that is wanted here. */
const URGENT = -10;

let isUrgent = false;

/** From now on this process, and what it starts, goes before other programs. Returns why not, if that may not be. */
export function raisePriority(): string | null {
  try {
    setPriority(URGENT);
    isUrgent = true;
    raiseSession(process.pid);
    // The session outlives this process: it may be somebody's terminal.
    process.once('exit', () => writeSession(process.pid, 0));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * Where the kernel shares cores between sessions first (autogroups), `nice` counts within one only: the session of
 * the process is raised, too. Each process of a Postgres has one of its own.
 */
export function raiseSession(pid: number): void {
  if (isUrgent) writeSession(pid, URGENT);
}

function writeSession(pid: number, priority: number): void {
  const file = `/proc/${pid}/autogroup`;
  if (existsSync(file)) writeFileSync(file, `${priority}`);
}
