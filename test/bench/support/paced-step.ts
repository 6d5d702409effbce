import { setTimeout as delay } from 'node:timers/promises';
import type { OpenLine } from '../clients/line.ts';
import { CHUNK_CHARACTERS } from '../upstream/chunks.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { endStreams, type HeldStream, holdStreams } from './held-streams.ts';
import { LatencyRecorder, quantile } from './latency.ts';
import type { Server } from './server.ts';

export interface Step {
  readonly streams: number;
  readonly everyMs: number;
  readonly measuredMs: number;
}

/** How it went with so many streams at once. */
export interface StepResult {
  /** Added latency, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** The part of the characters sent meanwhile that came, 0 to 1 and a little more. */
  readonly share: number;
  /** Microseconds of the server's CPU for each delta that was sent. */
  readonly cpu: number;
  readonly postgres: number;
  /** How busy the core of the upstream, the clients and Postgres was, 0 to 1: near 1 it is the limit itself. */
  readonly load: number;
  readonly holds: boolean;
}

const RAMP_MS = 1000;

/** A server that fell behind may take so long to catch up once its streams are ended. */
const DRAIN_MS = 60_000;

const MAX_P99_MS = 50;

/** Of the characters. Who does not get so many through has fallen behind for good. */
const MIN_SHARE = 0.9;

/** More than any step plays: the streams are ended from outside. */
const ENDLESS = 1_000_000;

/** Starts the streams, lets them run in, measures, and ends them. */
export async function playStep(
  { server, openLine, upstream }: { server: Server; openLine: OpenLine; upstream: Upstream },
  { streams: count, everyMs, measuredMs }: Step,
): Promise<StepResult> {
  const plan = { chunks: ENDLESS, everyMs };
  const streams = await holdStreams(upstream, { url: server.url, openLine, count, plan });
  const recorder = new LatencyRecorder();
  for (const stream of streams) {
    recorder.listen(stream, CHUNK_CHARACTERS);
    stream.played.release();
  }
  await delay(RAMP_MS);

  const before = readingsOf(server, streams);
  recorder.open();
  await delay(measuredMs);
  const { characters, latencies } = recorder.close();
  const after = readingsOf(server, streams);
  await endStreams(streams, DRAIN_MS);

  const sent = after.sent - before.sent;
  const postgres = after.postgres - before.postgres;
  const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  const share = characters / CHUNK_CHARACTERS / sent;
  return {
    p50,
    p99,
    share,
    cpu: (after.cpu - before.cpu) / sent,
    postgres: postgres / sent,
    load: (after.own - before.own + postgres) / 1000 / (after.at - before.at),
    holds: p99 < MAX_P99_MS && share >= MIN_SHARE,
  };
}

function readingsOf(server: Server, streams: readonly HeldStream[]) {
  const { user, system } = process.cpuUsage();
  return {
    at: performance.now(),
    sent: streams.reduce((sum, { played }) => sum + played.sentAt.length, 0),
    cpu: server.cpu().total,
    postgres: server.postgresCpu(),
    own: user + system,
  };
}
