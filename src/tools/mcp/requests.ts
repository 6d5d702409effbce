/** The requests of one session whose answers are awaited, by their ids. */
export interface Requests {
  begin(id: number): void;
  has(id: number): boolean;
  /** Aborted when nobody waits for the answer any more; at once for a request that is not in flight. */
  signalOf(id: number): AbortSignal;
  /** The answer is there. Its connection may end by itself, in a moment, to be used again; else it is ended. */
  answered(id: number): void;
  /** Nobody wants the answer: its connection is ended. */
  drop(id: number): void;
}

const GRACE_MS = 100;

export function createRequests(): Requests {
  const inFlight = new Map<number, AbortController>();
  const take = (id: number): AbortController | undefined => {
    const controller = inFlight.get(id);
    inFlight.delete(id);
    return controller;
  };
  return {
    begin: (id) => {
      inFlight.set(id, new AbortController());
    },
    has: (id) => inFlight.has(id),
    signalOf: (id) => inFlight.get(id)?.signal ?? AbortSignal.abort(),
    answered(id) {
      const controller = take(id);
      if (controller !== undefined) setTimeout(() => controller.abort(), GRACE_MS).unref();
    },
    drop: (id) => take(id)?.abort(),
  };
}
