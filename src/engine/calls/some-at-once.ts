import pLimit from 'p-limit';

/** Tools that one run asks at the same time. */
const CONCURRENCY = 8;

/** Does all of this, some at once. Resolves when all is over; then throws what the first that broke threw. */
export async function someAtOnce(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const limit = pLimit(CONCURRENCY);
  const results = await Promise.allSettled(tasks.map((task) => limit(task)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
