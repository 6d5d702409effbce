import type { ResponseId } from '../../protocol/ids.ts';
import type { Run } from './run.ts';

/** The runs in flight in this process. */
export class Runs {
  private readonly byId = new Map<ResponseId, Run>();
  private readonly finishing = new Set<Promise<void>>();

  get size(): number {
    return this.byId.size;
  }

  get(id: ResponseId): Run | undefined {
    return this.byId.get(id);
  }

  /** Keeps a run until it has ended. */
  add(run: Run): void {
    this.byId.set(run.base.id, run);
    void run.ended.then(() => this.byId.delete(run.base.id));
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
