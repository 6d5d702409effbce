/** Work that several jobs may share. */
export interface SharedWork<Job, Result> {
  /** Gives one result for each job, in their order. If it throws, all of them have failed. */
  readonly work: (jobs: readonly Job[]) => Promise<readonly Result[]>;
  /** So many may be under way at once; meanwhile jobs gather. */
  readonly atOnce: number;
  /** Whether a job may go along with these. The first of those that wait always goes. */
  readonly fits: (job: Job, others: readonly Job[]) => boolean;
}

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Takes jobs one by one: a job goes at once if there is room; those that come when there is none go on together. */
export class Gatherer<Job, Result> {
  private readonly shared: SharedWork<Job, Result>;
  private waiting: Waiting<Job, Result>[] = [];
  private underWay = 0;

  constructor(shared: SharedWork<Job, Result>) {
    this.shared = shared;
  }

  add(job: Job): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.waiting.push({ job, resolve, reject });
    this.proceed();
    return promise;
  }

  private proceed(): void {
    while (this.waiting.length > 0 && this.underWay < this.shared.atOnce) void this.share(this.nextGroup());
  }

  private nextGroup(): readonly Waiting<Job, Result>[] {
    const group: Waiting<Job, Result>[] = [];
    const jobs: Job[] = [];
    const left: Waiting<Job, Result>[] = [];
    for (const each of this.waiting) {
      if (jobs.length === 0 || this.shared.fits(each.job, jobs)) {
        group.push(each);
        jobs.push(each.job);
      } else {
        left.push(each);
      }
    }
    this.waiting = left;
    return group;
  }

  private async share(group: readonly Waiting<Job, Result>[]): Promise<void> {
    this.underWay++;
    try {
      const results = await this.shared.work(group.map(({ job }) => job));
      for (const [place, { resolve, reject }] of group.entries()) {
        const result = results[place];
        if (result === undefined) reject(new Error('The work gave too few results.'));
        else resolve(result);
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      this.underWay--;
      this.proceed();
    }
  }
}
