import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRandom } from '../support/random.ts';
import { KnownResponses } from './soak/known-responses.ts';
import { type Reading, readingOf, trendOf } from './soak/watch.ts';
import { startWork } from './soak/work.ts';
import { format } from './support/format.ts';
import { LOAD_CORE, pin } from './support/pinning.ts';
import { table } from './support/report.ts';
import { startServer } from './support/server.ts';
import { startUpstream } from './upstream/upstream.ts';

/** Mixed work on one server for a long time: `node test/bench/soak.ts [minutes] [--clients n] [--seed n]`. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    clients: { type: 'string', default: '24' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
  },
});
const minutes = Number(positionals[0] ?? 30);

const READ_EVERY_MS = 10_000;

/** After the last client has gone: longer than the grace of a stream that nobody follows. */
const QUIET_MS = 15_000;

/** More growth than this over the last two thirds is a leak: parts of the mean, and handles. */
const MAX_MEMORY_GROWTH = 0.05;
const MAX_HANDLE_GROWTH = 5;

const write = (text: string) => void process.stdout.write(`${text}\n`);

pin(process.pid, LOAD_CORE);
const upstream = await startUpstream();
await using server = await startServer('ours, adaptive', {
  upstreamUrl: upstream.url,
  environment: { EVENT_RETENTION_MINUTES: '1', DETACH_GRACE_MS: '3000' },
});
write(
  `${minutes} minutes, ${values.clients} clients, seed ${values.seed}, server ${server.pid} at ${server.url}`,
);

const random = createRandom(Number(values.seed));
const startedAt = performance.now();
const world = { url: server.url, known: new KnownResponses(random), random };
const before = readingOf(server.pid, 0);
const work = startWork(world, { clients: Number(values.clients), until: startedAt + minutes * 60_000 });

const readings: Reading[] = [];
let isOver = false;
void work.ended.then(() => {
  isOver = true;
});
write('seconds   RSS MB  handles  threads     jobs   errors');
while (!isOver) {
  await Promise.race([work.ended, delay(READ_EVERY_MS)]);
  upstream.forget();
  const reading = readingOf(server.pid, (performance.now() - startedAt) / 1000);
  if (!isOver) readings.push(reading); // the last one sees clients that have left already
  const { at, residentMb, handles, threads } = reading;
  const done = [...work.done.values()].reduce((sum, count) => sum + count, 0);
  const cells = [at.toFixed(0), residentMb.toFixed(1), handles, threads, done, work.failed.length];
  write(cells.map((cell, index) => `${cell}`.padStart(index === 0 ? 7 : 8)).join(' '));
}
await delay(QUIET_MS);
const after = readingOf(server.pid, (performance.now() - startedAt) / 1000);
upstream.close();

const memory = trendOf(readings, ({ residentMb }) => residentMb);
const handles = trendOf(readings, ({ handles }) => handles);
write('');
write(table([['job', 'times'], ...[...work.done].map(([name, count]) => [name, `${count}`])]));
write('');
write(
  table([
    ['', 'before', 'mean', 'growth an hour', 'growth', 'once quiet'],
    ['RSS, MB', before.residentMb, memory.mean, memory.perHour, memory.growth, after.residentMb].map(cellOf),
    ['handles', before.handles, handles.mean, handles.perHour, handles.growth, after.handles].map(cellOf),
  ]),
);
const verdicts = [
  ['memory', memory.growth <= memory.mean * MAX_MEMORY_GROWTH],
  ['handles', handles.growth <= MAX_HANDLE_GROWTH],
  ['answers', work.failed.length === 0],
] as const;
write('');
for (const [name, holds] of verdicts) write(`${name}: ${holds ? 'holds' : 'DOES NOT HOLD'}`);
for (const failure of work.failed.slice(0, 20)) write(`  ${failure}`);
process.exitCode = verdicts.every(([, holds]) => holds) ? 0 : 1;

function cellOf(value: string | number): string {
  return typeof value === 'string' ? value : format(value);
}
