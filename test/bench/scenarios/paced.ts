import type { OpenLine } from '../clients/line.ts';
import { openOurs, openProxied, openStock } from '../clients/lines.ts';
import { playStep } from '../support/paced-step.ts';
import type { Sample, Scenario } from '../support/scenario.ts';
import type { ServerName } from '../support/server-names.ts';
import { playUnpaced } from '../support/unpaced.ts';

const EVERY_MS = 20;
const STEPS = [100, 250, 500, 750] as const;
const QUICK_STEPS = [100, 250] as const;

const lineOf = (name: ServerName): OpenLine =>
  name.startsWith('ours') ? openOurs : name === 'byte proxy' ? openProxied : openStock;

export const paced: Scenario = {
  name: 'paced',
  title: `Many streams at once, each on a connection of its own, a delta every ${EVERY_MS} ms. "streams held": the most at which the p99 of the added latency stays under 50 ms and 90 % of the characters come. A server that has failed at a step is given no more streams`,
  servers: ['byte proxy', 'ours, joining off', 'ours, adaptive', 'obvious build'],
  rounds: 3,
  targets: [
    {
      column: 'streams held',
      of: 'ours, joining off',
      against: 'byte proxy',
      sense: 'at least',
      ratio: 0.5,
    },
    { column: 'streams held', of: 'ours, adaptive', against: 'byte proxy', sense: 'at least', ratio: 1 },
  ],
  async warmUp(server, { upstream, isQuick }) {
    const openLine = lineOf(server.name);
    await playUnpaced(server.url, openLine, { streams: isQuick ? 10 : 30, deltas: 1000 });
    // What comes delta by delta takes other paths than what comes in large pieces.
    const step = { streams: QUICK_STEPS[0], everyMs: EVERY_MS, measuredMs: isQuick ? 1500 : 3000 };
    await playStep({ server, openLine, upstream }, step);
  },
  async measure(server, { upstream, isQuick }) {
    const openLine = lineOf(server.name);
    const sample: { [column: string]: number } = { 'streams held': 0 };
    for (const streams of isQuick ? QUICK_STEPS : STEPS) {
      const step = { streams, everyMs: EVERY_MS, measuredMs: isQuick ? 1500 : 3000 };
      const result = await playStep({ server, openLine, upstream }, step);
      Object.assign(sample, columnsOf(streams, result));
      upstream.forget();
      if (!result.holds) break; // with more it would only fall further behind
      sample['streams held'] = streams;
    }
    return sample;
  },
};

function columnsOf(streams: number, result: Awaited<ReturnType<typeof playStep>>): Sample {
  const at = `${streams} streams: `;
  return {
    [`${at}p50 ms`]: result.p50,
    [`${at}p99 ms`]: result.p99,
    [`${at}share`]: result.share,
    [`${at}µs/delta`]: result.cpu,
    [`${at}Postgres`]: result.postgres,
    [`${at}load core`]: result.load,
  };
}
