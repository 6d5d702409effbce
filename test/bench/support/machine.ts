import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '../../../src/store/embedded/binaries.ts';
import { asObject, asText } from '../../../src/util/json.ts';
import { canPin, LOAD_CORE, SERVER_CORE } from './pinning.ts';

const PACKAGES = ['graphql', 'graphql-yoga', 'graphql-ws', 'ws', 'openai', 'postgres'] as const;

const MODULES = join(import.meta.dirname, '../../../node_modules');

/** The head of the results: when, where, and with what they were had. */
export async function describeMachine({
  rounds,
  isUrgent,
}: {
  readonly rounds: number;
  readonly isUrgent: boolean;
}): Promise<string> {
  const versions = await Promise.all(PACKAGES.map(async (name) => `${name} ${await versionOf(name)}`));
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    '# Benchmark',
    [
      `- ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, ${rounds} rounds at most`,
      `- ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${memory} GB, Linux ${release()}`,
      `- node ${process.version}, ${versions.join(', ')} (the driver), ${await postgresVersion()}`,
      canPin
        ? `- pinned: the server to core ${SERVER_CORE}; the upstream, the clients and Postgres to core ${LOAD_CORE}`
        : '- nothing is pinned to a core: there is no `taskset`, or no second core',
      ...(isUrgent ? ['- with priority over the other programs of the machine'] : []),
    ].join('\n'),
  ].join('\n\n');
}

async function versionOf(name: string): Promise<string> {
  const manifest = asObject(JSON.parse(await readFile(join(MODULES, name, 'package.json'), 'utf8')));
  return asText(manifest?.['version']);
}

async function postgresVersion(): Promise<string> {
  const { postgres } = await findBinaries();
  return execFileSync(postgres, ['--version'], { encoding: 'utf8' }).trim().replace('postgres (', '(');
}
