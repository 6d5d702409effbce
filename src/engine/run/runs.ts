import type { ResponseId } from '../../protocol/ids.ts';
import type { Run } from './run.ts';

/** The runs in flight in this process. */
export class Runs {
  private readonly byId = new Map<ResponseId, Run>();
  private readonly finishing = new Set<Promise<void>>();
  private readonly limit: number;
  /** Runs that somebody waits for or follows, and those that are about to be. */
  private attended = 0;

  /** `limit`: how many runs, not counting those in the background, there may be at once. */
  constructor(limit: number) {
    this.limit = limit;
  }

  get(id: ResponseId): Run | undefined {
    return this.byId.get(id);
  }

  /** Keeps a place for a run that somebody waits for or follows; null if there is none. Give it back once the run is added. */
  reserve(): Disposable | null {
    if (this.attended >= this.limit) return null;
    this.attended++;
    return { [Symbol.dispose]: () => void this.attended-- };
  }

  /** Keeps a run until it has ended. */
  add(run: Run): void {
    const { id, settings } = run.base;
    const weight = settings.background ? 0 : 1;
    this.byId.set(id, run);
    this.attended += weight;
    void run.ended.then(() => {
      if (this.byId.get(id) === run) this.byId.delete(id);
      this.attended -= weight;
    });
  }

  /** Keeps what a run still does after its end, such as closing the sessions that it had elsewhere. */
  finish(work: Promise<void>): void {
    this.finishing.add(work);
    void work.then(() => this.finishing.delete(work));
  }

  all(): readonly Run[] {
    return [...this.byId.values()];
  }

  /** Resolves when every run that is in flight now has ended, and has let go of what it held. */
  async ended(): Promise<void> {
    await Promise.all([...this.all().map((run) => run.ended), ...this.finishing]);
  }

  /** Gives up every stored run without a word: this process has been declared dead, and they are somebody else's. */
  loseAll(): void {
    for (const run of this.byId.values()) if (run.base.settings.store) run.lose();
  }
}
