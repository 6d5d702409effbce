import type { ResponseId } from '../protocol/ids.ts';
import type { Run } from './run.ts';

/** The runs in flight in this process. */
export class Runs {
  private readonly byId = new Map<ResponseId, Run>();

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

  all(): readonly Run[] {
    return [...this.byId.values()];
  }

  /** Resolves when every run that is in flight now has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.all().map((run) => run.ended));
  }

  /** Gives up every stored run without a word: this process has been declared dead, and they are somebody else's. */
  loseAll(): void {
    for (const run of this.byId.values()) if (run.base.settings.store) run.lose();
  }
}
