/** What is handed back: a run. */
interface Owned {
  readonly signal: AbortSignal;
  readonly lost: boolean;
  /** It belongs to another process now. */
  lose(): void;
}

/** Gives a run back for another process to go on with, where that loses nothing. */
export class HandBack {
  private readonly run: Owned;
  private isWholeWork = false;
  private isAsked = false;
  private isDone = false;

  constructor(run: Owned) {
    this.run = run;
  }

  /** True if the run was lost because this process gave it back. */
  get done(): boolean {
    return this.isDone;
  }

  /** Loses the run: at once if nothing would be cut short, or if there is no time; else at the next boundary, unless it ends before. */
  ask({ now }: { readonly now: boolean }): void {
    this.isAsked = true;
    if (now || !this.isWholeWork) this.leave();
  }

  /** Does what is better not cut short, such as the calls of a round: a run that is to be given back waits for it. */
  async unbroken<Result>(work: () => Promise<Result>): Promise<Result> {
    this.isWholeWork = true;
    try {
      return await work();
    } finally {
      this.isWholeWork = false;
    }
  }

  /** To be called where another process can go on without a loss. Throws the reason of the signal once it is aborted. */
  passBoundary(): void {
    if (this.isAsked) this.leave();
    this.run.signal.throwIfAborted();
  }

  private leave(): void {
    if (this.run.lost) return;
    this.isDone = true;
    this.run.lose();
  }
}
