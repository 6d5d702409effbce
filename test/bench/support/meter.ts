import { setTimeout as delay } from 'node:timers/promises';
import type { Server } from './server.ts';

/** CPU that something cost, in microseconds. */
export interface Cost {
  readonly total: number;
  readonly main: number;
  readonly postgres: number;
}

/** What follows the last answer (a commit, a clean-up) belongs to the cost. In milliseconds. */
const SETTLE_MS = 60;

/** The CPU that the server and its Postgres use while `work` is done. */
export async function costOf(server: Server, work: () => Promise<void>): Promise<Cost> {
  const [cpu, postgres] = [server.cpu(), server.postgresCpu()];
  await work();
  await delay(SETTLE_MS);
  const after = server.cpu();
  return {
    total: after.total - cpu.total,
    main: after.main - cpu.main,
    postgres: server.postgresCpu() - postgres,
  };
}
