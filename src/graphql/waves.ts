/**
 * Loads in waves: while queries are under way, what is asked for gathers, and goes when the last of them has come back.
 * Then everything at one depth of a document is one query of each kind, whichever of those before were quick.
 */
export interface Waves {
  /** Calls `send` with the next wave. */
  join(send: () => void): void;
  /** Gives what a query gives. The next wave waits for it. */
  awaited<Result>(query: () => Promise<Result>): Promise<Result>;
}

export function createWaves(): Waves {
  let gathered: (() => void)[] = [];
  let underWay = 0;
  const sendAll = () => {
    const wave = gathered;
    gathered = [];
    for (const send of wave) send();
  };
  return {
    join(send) {
      gathered.push(send);
      if (underWay === 0 && gathered.length === 1) afterThisStep(sendAll);
    },
    async awaited(query) {
      underWay++;
      try {
        return await query();
      } finally {
        underWay--;
        if (underWay === 0 && gathered.length > 0) afterThisStep(sendAll);
      }
    },
  };
}

/** Once every resolver has run that can run now: a tick comes when no promise is left to go on. */
function afterThisStep(task: () => void): void {
  void Promise.resolve().then(() => process.nextTick(task));
}
