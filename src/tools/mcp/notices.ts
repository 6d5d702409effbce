/** What is on its way to a server without an answer being awaited, so that closing can wait for its arrival. */
export interface Notices {
  track<Result>(sent: Promise<Result>): Promise<Result>;
  /** Resolves when all that is on its way has arrived, or failed. */
  flush(): Promise<void>;
}

export function createNotices(): Notices {
  const sending = new Set<Promise<unknown>>();
  return {
    track(sent) {
      const settled: Promise<unknown> = sent.catch(() => {}).finally(() => sending.delete(settled));
      sending.add(settled);
      return sent;
    },
    flush: async () => {
      await Promise.all(sending);
    },
  };
}
