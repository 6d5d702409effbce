import type { Line, OpenLine } from '../clients/line.ts';
import { CHUNK_CHARACTERS } from '../upstream/chunks.ts';
import { createPlan } from '../upstream/plan.ts';
import { costOf } from './meter.ts';
import type { Sample } from './scenario.ts';
import type { Server } from './server.ts';

export interface Unpaced {
  readonly streams: number;
  /** Deltas of the upstream in each stream. */
  readonly deltas: number;
}

/** Plays streams one after the other, each on a connection of its own; returns how many pieces of text came. */
export async function playUnpaced(
  url: string,
  openLine: OpenLine,
  { streams, deltas }: Unpaced,
): Promise<number> {
  let pieces = 0;
  for (let each = 0; each < streams; each++) {
    const line: Line = await openLine(url);
    const plan = createPlan({ chunks: deltas, everyMs: 0, held: false });
    let characters = 0;
    await line.play(plan, (count) => {
      pieces++;
      characters += count;
    });
    line.close();
    const expected = deltas * CHUNK_CHARACTERS;
    if (characters !== expected) throw new Error(`${characters} characters came, of ${expected}`);
  }
  return pieces;
}

/** What a delta of the upstream costs, in microseconds of CPU. */
export async function measureUnpaced(server: Server, openLine: OpenLine, unpaced: Unpaced): Promise<Sample> {
  let pieces = 0;
  const startedAt = performance.now();
  let tookMs = 0;
  const cost = await costOf(server, async () => {
    pieces = await playUnpaced(server.url, openLine, unpaced);
    tookMs = performance.now() - startedAt;
  });
  const deltas = unpaced.streams * unpaced.deltas;
  return {
    'µs/delta': cost.total / deltas,
    'main thread': cost.main / deltas,
    Postgres: cost.postgres / deltas,
    'deltas/event': deltas / pieces,
    'deltas/s': (deltas / tookMs) * 1000,
  };
}
