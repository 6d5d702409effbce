import type { Line, OpenLine } from '../clients/line.ts';
import { createPlan, type Plan } from '../upstream/plan.ts';
import type { Played } from '../upstream/play-stream.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { inParallel } from './in-parallel.ts';

/** A stream whose first delta has come, and which waits for its upstream to be released. */
export interface HeldStream {
  readonly played: Played;
  /** The characters of every piece of text that comes from now on. */
  onText: (characters: number) => void;
  readonly ended: Promise<void>;
  readonly line: Line;
}

/** More connections than this at once a server need not take. */
const WIDTH = 32;

export interface HeldOptions {
  readonly url: string;
  readonly openLine: OpenLine;
  readonly count: number;
  readonly plan: Pick<Plan, 'chunks' | 'everyMs'>;
}

/** Starts streams, each on a connection of its own. */
export function holdStreams(upstream: Upstream, options: HeldOptions): Promise<HeldStream[]> {
  return inParallel({ count: options.count, width: WIDTH }, () => holdStream(upstream, options));
}

async function holdStream(upstream: Upstream, { url, openLine, plan }: HeldOptions): Promise<HeldStream> {
  const line = await openLine(url);
  const held = createPlan({ ...plan, held: true });
  const first = Promise.withResolvers<void>();
  const stream = { onText: (_characters: number) => first.resolve() };
  const ended = line.play(held, (characters) => stream.onText(characters));
  ended.catch(first.reject);
  await first.promise;
  const played = upstream.played(held);
  if (played === undefined) throw new Error('Text came of a stream that nobody asked for.');
  return Object.assign(stream, { played, ended, line });
}

/** Ends them, waits until their clients know, and closes the connections. Fails after `limitMs`. */
export async function endStreams(streams: readonly HeldStream[], limitMs = 30_000): Promise<void> {
  for (const { played } of streams) played.finish();
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error(`Streams did not end in ${limitMs} ms.`)), limitMs);
  try {
    await Promise.race([Promise.all(streams.map(({ ended }) => ended)), limit.promise]);
  } finally {
    clearTimeout(timer);
    for (const { line } of streams) line.close();
  }
}
