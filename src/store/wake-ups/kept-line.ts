import { orAborted, pause } from '../../util/async-iteration.ts';

/**
 * A connection that is used until it breaks, and never again: what clients do to mend their own connections has
 * too many ways to end for good.
 */
export interface Line {
  /** Makes the connection; called once. */
  open(): Promise<void>;
  /** Asks for a sign of life. */
  check(): Promise<void>;
  /** Lets go of the connection at once, whatever is under way. */
  close(): void;
}

export interface LineMaker<L extends Line> {
  /** A line, still closed. It calls `onLost`, once open, when the connection has gone. */
  readonly make: (onLost: (reason: unknown) => void) => L;
  /** A line is open. */
  readonly onUp: () => void;
  /** An open line broke, or another one could not be had. */
  readonly onDown: (reason: unknown) => void;
}

/** How often a line must show that it is alive: a connection can die without a word. */
const CHECK_EVERY_MS = 3_000;

/** No answer for so long, and a line counts as broken. */
const ANSWER_LIMIT_MS = 2_000;

/** From one failure to the next attempt. No longer than a second, after which everybody has polled anyway. */
const backoff = (failures: number) => Math.min(50 * 2 ** failures, 1_000);

/** A line of which there is always one, or the attempt at one. */
export class KeptLine<L extends Line> {
  private readonly maker: LineMaker<L>;
  private readonly closing = new AbortController();
  /** Aborted, with the reason, when the line of the moment breaks. */
  private broken = new AbortController();
  private line: L | null = null;
  private readonly kept: Promise<void>;

  constructor(maker: LineMaker<L>) {
    this.maker = maker;
    this.kept = this.keep();
  }

  get isUp(): boolean {
    return this.line !== null;
  }

  /** Does something with the line. Rejects if there is none, or if it breaks or gives no answer meanwhile. */
  async use(task: (line: L) => Promise<void>): Promise<void> {
    if (this.line === null) throw new Error('There is no connection.');
    await answered(task(this.line), this.broken);
  }

  /** At once, whatever is under way. */
  async close(): Promise<void> {
    this.closing.abort();
    this.broken.abort(this.closing.signal.reason);
    await this.kept;
  }

  private async keep(): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 0; !signal.aborted; failures++) {
      const broken = new AbortController();
      this.broken = broken;
      let line: L | null = null;
      try {
        line = this.maker.make((reason) => broken.abort(reason));
        await answered(line.open(), broken);
        failures = 0;
        this.line = line;
        this.maker.onUp();
        await watch(line, broken);
      } catch (reason) {
        this.line = null;
        line?.close();
        if (!signal.aborted) this.maker.onDown(reason);
      }
      await pause(backoff(failures), signal).catch(() => {});
    }
  }
}

/** Never resolves; rejects when the line breaks. */
async function watch(line: Line, broken: AbortController): Promise<never> {
  for (;;) {
    await pause(CHECK_EVERY_MS, broken.signal);
    await answered(line.check(), broken);
  }
}

/** Waits for an answer. Without one for too long, the line is broken. */
async function answered(answer: Promise<void>, broken: AbortController): Promise<void> {
  answer.catch(() => {}); // it may come, or fail, when nobody waits for it any more
  const late = () => broken.abort(new Error(`There was no answer for ${ANSWER_LIMIT_MS} ms.`));
  const timer = setTimeout(late, ANSWER_LIMIT_MS);
  try {
    await orAborted(answer, broken.signal);
  } finally {
    clearTimeout(timer);
  }
  broken.signal.throwIfAborted();
}
