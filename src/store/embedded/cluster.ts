import { mkdir, realpath, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../../util/errors.ts';
import { chooseLauncher } from './account.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import type { Ending, Launcher } from './process.ts';

/** Where a built-in Postgres lives, and how its programs are run. Every path is absolute. */
export interface Cluster {
  readonly dataDir: string;
  /** The data folder of Postgres itself. */
  readonly folder: string;
  readonly passwordFile: string;
  readonly logFile: string;
  readonly binaries: Binaries;
  readonly launcher: Launcher;
}

const LOG_LIMIT_BYTES = 8 * 1024 * 1024;

/** The cluster of a data directory, which is made if missing; Postgres itself is neither made nor started. */
export async function openCluster(dataDir: string): Promise<Cluster> {
  const [binaries] = await Promise.all([findBinaries(), mkdir(dataDir, { recursive: true })]);
  const folder = join(dataDir, 'postgres');
  const logFile = join(dataDir, 'postgres.log');
  const paths = await Promise.all([dirname(binaries.postgres), dataDir].map((path) => realpath(path)));
  const launcher = await chooseLauncher({ folder, paths, postgres: binaries.postgres });
  await trim(logFile);
  return { dataDir, folder, logFile, passwordFile: join(dataDir, 'postgres.password'), binaries, launcher };
}

/** The log starts afresh when it has grown large. */
async function trim(logFile: string): Promise<void> {
  const size = await stat(logFile).then(
    ({ size }) => size,
    () => 0,
  );
  if (size > LOG_LIMIT_BYTES) await truncate(logFile);
}

/** The error for a program of Postgres that failed: its own words for why, and where there are more. */
export function programFailed(cluster: Cluster, { output }: Ending): AppError {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== '');
  const said =
    lines.find((line) => /FATAL:|PANIC:|error:/.test(line)) ??
    lines.findLast(() => true) ??
    'no reason given';
  const reason = said.replace(/^.*?(?:FATAL:|PANIC:|error:)\s*/, '');
  return new AppError(
    'START_FAILED',
    `The built-in Postgres did not start: ${reason} (more in ${cluster.logFile}). DATABASE_URL lets the server use another Postgres.`,
  );
}
