import type { Sample, Scenario } from '../support/scenario.ts';
import { createScenario } from './create.ts';
import { first } from './first.ts';
import { sse } from './sse.ts';
import { ws } from './ws.ts';

/** What is measured of it, by scenario. */
const PARTS = [
  [ws, 'µs/delta'],
  [sse, 'µs/delta'],
  [first, 'median ms'],
  [createScenario, 'µs each'],
] as const;

const columnOf = ({ name }: Scenario, column: string) => `${name}, ${column}`;

export const guarded: Scenario = {
  name: 'guarded',
  title: 'What authentication with keys, and limits on everything, cost: some figures of other scenarios',
  servers: ['ours, adaptive', 'ours, guarded'],
  rounds: 5,
  targets: PARTS.map(([part, column]) => ({
    column: columnOf(part, column),
    of: 'ours, guarded',
    against: 'ours, adaptive',
    sense: 'at most',
    ratio: 1,
  })),
  async warmUp(server, bench) {
    for (const [part] of PARTS) await part.warmUp(server, bench);
  },
  async measure(server, bench): Promise<Sample> {
    const sample: { [column: string]: number } = {};
    for (const [part, column] of PARTS) {
      const measured = await part.measure(server, bench);
      sample[columnOf(part, column)] = measured[column] ?? Number.NaN;
      bench.upstream.forget();
    }
    return sample;
  },
};
