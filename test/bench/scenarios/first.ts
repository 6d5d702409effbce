import { openOurs, openStock } from '../clients/lines.ts';
import { quantile } from '../support/latency.ts';
import { costOf } from '../support/meter.ts';
import type { Bench, Sample, Scenario } from '../support/scenario.ts';
import type { Server } from '../support/server.ts';
import { createPlan } from '../upstream/plan.ts';

export const first: Scenario = {
  name: 'first',
  title:
    "From sending the request to the first delta, without the upstream's own time, over a WebSocket that is open already, one after the other. Ours is a mutation, its answer, and a subscription; the others are one subscription",
  servers: ['ours, joining off', 'ours, adaptive', 'stock graphql-ws', 'obvious build'],
  targets: [
    {
      column: 'median ms',
      of: 'ours, joining off',
      against: 'stock graphql-ws',
      sense: 'at most',
      ratio: 3,
    },
    { column: 'median ms', of: 'ours, adaptive', against: 'stock graphql-ws', sense: 'at most', ratio: 3 },
  ],
  async warmUp(server, bench) {
    await play(server, bench, bench.isQuick ? 100 : 400);
  },
  async measure(server, bench): Promise<Sample> {
    const count = bench.isQuick ? 50 : 100;
    let times: number[] = [];
    const cost = await costOf(server, async () => {
      times = (await play(server, bench, count)).toSorted((a, b) => a - b);
    });
    return {
      'median ms': quantile(times, 0.5),
      'p90 ms': quantile(times, 0.9),
      'p99 ms': quantile(times, 0.99),
      'µs each': cost.total / count,
      Postgres: cost.postgres / count,
    };
  },
};

/** How long each of so many streams took to its first delta, in milliseconds. */
async function play(server: Server, { upstream }: Bench, count: number): Promise<number[]> {
  const line = await (server.name.startsWith('ours') ? openOurs : openStock)(server.url);
  const times: number[] = [];
  for (let each = 0; each < count; each++) {
    const plan = createPlan({ chunks: 20, everyMs: 0, held: true });
    const startedAt = performance.now();
    let hasBegun = false;
    await line.play(plan, () => {
      if (hasBegun) return;
      hasBegun = true;
      const now = performance.now();
      const played = upstream.played(plan);
      if (played === undefined) return;
      times.push(now - startedAt - ((played.sentAt[0] ?? now) - played.askedAt));
      played.release();
    });
  }
  line.close();
  return times;
}
