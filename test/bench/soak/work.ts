import { messageOf } from '../../../src/util/errors.ts';
import { jobs, type World } from './jobs.ts';

/** How often each job was done, and what went wrong. */
export interface Tally {
  readonly done: ReadonlyMap<string, number>;
  readonly failed: readonly string[];
}

/** Clients that each do one job after the other, chosen at random, until the time is over. */
export function startWork(
  world: World,
  { clients, until }: { readonly clients: number; readonly until: number },
): Tally & { readonly ended: Promise<unknown> } {
  const done = new Map<string, number>();
  const failed: string[] = [];
  const client = async () => {
    while (performance.now() < until) {
      const { name, job } = chooseJob(world.random);
      try {
        await job(world);
        done.set(name, (done.get(name) ?? 0) + 1);
      } catch (error) {
        const failure = `${name}: ${messageOf(error)}`.slice(0, 400);
        failed.push(failure);
        process.stderr.write(`${failure}\n`);
      }
    }
  };
  return { done, failed, ended: Promise.all(Array.from({ length: clients }, client)) };
}

const WEIGHTS = jobs.reduce((sum, { weight }) => sum + weight, 0);

function chooseJob(random: World['random']): (typeof jobs)[number] {
  let left = random(WEIGHTS);
  for (const each of jobs) {
    left -= each.weight;
    if (left < 0) return each;
  }
  throw new Error('There are no jobs.');
}
