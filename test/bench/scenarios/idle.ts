import { setTimeout as delay } from 'node:timers/promises';
import { openOurs } from '../clients/lines.ts';
import { residentKb } from '../support/cpu.ts';
import { endStreams, holdStreams } from '../support/held-streams.ts';
import type { Bench, Sample, Scenario } from '../support/scenario.ts';
import type { Server } from '../support/server.ts';

/** Only the first chunk is ever sent. */
const PLAN = { chunks: 2, everyMs: 0 };

export const idle: Scenario = {
  name: 'idle',
  title:
    'Streams whose upstream has sent one chunk and then nothing, each followed over a WebSocket of its own: the memory that each keeps in the server, once it has settled',
  servers: ['ours, joining off', 'ours, adaptive'],
  rounds: 2,
  isFresh: true, // memory that was once had is seldom given back
  targets: [],
  limits: [
    { column: 'kB each', of: 'ours, joining off', atMost: 50 },
    { column: 'kB each', of: 'ours, adaptive', atMost: 50 },
  ],
  async warmUp(server, { upstream, isQuick }) {
    const options = { url: server.url, openLine: openOurs, plan: PLAN };
    for (let round = 0; round < 3; round++)
      await endStreams(await holdStreams(upstream, { ...options, count: isQuick ? 100 : 200 }));
  },
  async measure(server, bench): Promise<Sample> {
    const count = bench.isQuick ? 500 : 2000;
    const before = await settledKb(server, bench);
    const options = { url: server.url, openLine: openOurs, plan: PLAN };
    const streams = await holdStreams(bench.upstream, { ...options, count });
    const after = await settledKb(server, bench);
    await endStreams(streams, 60_000);
    return { 'kB each': (after - before) / count, 'MB before': before / 1024, 'MB with them': after / 1024 };
  },
};

const LOOK_MS = 500;

/** The memory of the server once it has stayed within 1 % for two seconds, or after fifteen. In kilobytes. */
async function settledKb({ pid }: Server, { isQuick }: Bench): Promise<number> {
  const needed = isQuick ? 3 : 4;
  let last = residentKb(pid);
  for (let look = 0, calm = 0; look < 30 && calm < needed; look++) {
    await delay(LOOK_MS);
    const now = residentKb(pid);
    if (Math.abs(now - last) <= last * 0.01) calm++;
    else {
      calm = 0;
      last = now;
    }
  }
  return residentKb(pid);
}
