import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a process has at a moment, after everything that can be collected was. */
export interface InnerState {
  /** Of the heap and of buffers, in bytes. */
  readonly memory: number;
  /** What keeps it alive: sockets, timers and so on. */
  readonly resources: number;
}

const MARK = 'INNER STATE ';
const TELLER = `process.on('SIGUSR2', async () => {
  for (let i = 0; i < 3; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 50)); }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo().length;
  process.stderr.write('${MARK}' + JSON.stringify({ memory: heapUsed + arrayBuffers, resources }) + '\\n');
});`;

/** The NODE_OPTIONS of a process that can be asked; they need a file in `folder`. */
export async function answeringOptions(folder: string): Promise<string> {
  const file = join(folder, 'inner-state.mjs');
  await writeFile(file, TELLER);
  return `--expose-gc --import ${file}`;
}

/** Asks a process that was started with such options. */
export async function innerStateOf(child: ChildProcess): Promise<InnerState> {
  if (child.stderr === null) throw new Error('The process has no output.');
  child.kill('SIGUSR2');
  for (;;) {
    const [bytes] = await once(child.stderr, 'data');
    const line = String(bytes)
      .split('\n')
      .find((each) => each.startsWith(MARK));
    if (line !== undefined) return JSON.parse(line.slice(MARK.length));
  }
}

/** True for a line that is the answer to such a question. */
export const isInnerState = (line: string) => line.startsWith(MARK);
