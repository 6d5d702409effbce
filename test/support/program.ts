import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './readme.ts';

/** A program of a client, running as its author would run it. */
export interface Program extends AsyncDisposable {
  /** What it prints, line by line, until it ends. Call once. */
  lines(): AsyncIterable<string>;
  /** How it ended by itself. */
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
}

/** Clients that connect again wait a second and more before they do; here they need not. */
const IMPATIENT = `const wait = setTimeout;
globalThis.setTimeout = (run, ms, ...rest) => wait(run, ms >= 1000 ? 1 : ms, ...rest);`;

/** Runs the first of these files, with the packages of this project. */
export async function runProgram(
  files: readonly (readonly [name: string, code: string])[],
): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'responses-client-'));
  const all = [['package.json', '{ "type": "module" }'], ['impatient.js', IMPATIENT], ...files] as const;
  await Promise.all(all.map(([name, code]) => writeFile(join(folder, name), code)));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const child = spawn(process.execPath, ['--import', './impatient.js', files[0]?.[0] ?? ''], { cwd: folder });
  let errors = '';
  child.stderr.on('data', (bytes) => {
    errors += bytes;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, errors }));
  return {
    lines: () => createInterface({ input: child.stdout }),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
