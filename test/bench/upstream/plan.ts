/** What the scripted upstream is asked to play. It travels as the name of the model. */
export interface Plan {
  /** How many chunks of content. */
  readonly chunks: number;
  /** The time between two chunks, in milliseconds. 0: as fast as the socket takes them. */
  readonly everyMs: number;
  /** True: the first chunk goes out at once, the others only when the upstream is told to go on. */
  readonly held: boolean;
  /** Names the stream: what was sent when can be asked for under it. */
  readonly key: string;
}

let streams = 0;

/** A plan with a key that no other has. */
export function createPlan(plan: Omit<Plan, 'key'>): Plan {
  return { ...plan, key: `k${++streams}` };
}

/** E.g. `n500-d20-held-k17`. */
export function toModel({ chunks, everyMs, held, key }: Plan): string {
  return `n${chunks}-d${everyMs}-${held ? 'held' : 'free'}-${key}`;
}

export function parseModel(model: string): Plan | null {
  const [, chunks, everyMs, held, key] = /^n(\d+)-d(\d+)-(held|free)-(k\d+)$/.exec(model) ?? [];
  if (key === undefined) return null;
  return { chunks: Number(chunks), everyMs: Number(everyMs), held: held === 'held', key };
}
