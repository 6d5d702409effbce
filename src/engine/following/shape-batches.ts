import { type EventType, isLifecycle, type ResponseEvent } from '../../protocol/events.ts';
import { abortable, type StopSignal } from '../../util/async-iteration.ts';
import { AppError } from '../../util/errors.ts';
import type { EventBatches, Take } from './event-batches.ts';
import { joinAll } from './join-all.ts';

type Batches = AsyncGenerator<readonly ResponseEvent[], void>;

/** How a subscriber wants its events. */
export interface Shape {
  /** Only these, and those of the lifecycle; null for all. */
  readonly types: ReadonlySet<EventType> | null;
  /** Adjacent deltas are joined for up to so many milliseconds; 0: as they come. */
  readonly coalesceMs: number;
}

const MAX_COALESCE_MS = 1000;

/**
 * The same stream with events left out and deltas joined, in order. A joined delta has the number of the last in it,
 * so that its cursor goes on behind it. Leaving ends the source at once.
 *
 * @throws AppError INVALID_INPUT for a time that is out of range.
 */
export function shapeBatches(batches: EventBatches, { types, coalesceMs }: Shape): EventBatches {
  if (!Number.isInteger(coalesceMs) || coalesceMs < 0 || coalesceMs > MAX_COALESCE_MS) {
    throw new AppError(
      'INVALID_INPUT',
      `coalesceMs must be from 0 to ${MAX_COALESCE_MS}, not ${coalesceMs}.`,
    );
  }
  const wanted = types === null ? batches : filter(batches, types);
  return coalesceMs === 0 ? wanted : coalesce(wanted, coalesceMs);
}

function filter(source: EventBatches, types: ReadonlySet<EventType>): EventBatches {
  const isWanted = (event: ResponseEvent) => types.has(event.type) || isLifecycle(event);
  // Followers who are given one and the same batch share what is made of it; most hold nothing but deltas.
  const select = (batch: readonly ResponseEvent[]) =>
    batch.every(isWanted) ? batch : batch.filter(isWanted);
  const batches: Batches = abortable(async function* (signal) {
    releaseWith(signal, source);
    try {
      for await (const batch of source) {
        const wanted = select(batch);
        if (wanted.length > 0) yield wanted;
      }
    } finally {
      await source.return();
    }
  });
  const { tap } = source;
  return tap === undefined
    ? batches
    : Object.assign(batches, { tap: (take: Take) => tap(tapped(take, select)) });
}

/** With nothing of a batch wanted, it is taken all the same. */
function tapped(take: Take, select: (batch: readonly ResponseEvent[]) => readonly ResponseEvent[]): Take {
  return (batch) => {
    const wanted = select(batch);
    return wanted.length === 0 || take(wanted);
  };
}

function coalesce(source: Batches, milliseconds: number): Batches {
  return abortable(async function* (signal) {
    releaseWith(signal, source);
    let asked: Promise<Given> | null = null;
    let held: Held | null = null;
    try {
      for (;;) {
        asked ??= ask(source);
        const given = await (held === null ? asked : Promise.race([asked, held.isDue]));
        if (given.kind === 'batch') {
          asked = null;
          const { ready, last } = joinOn(held?.delta, given.batch);
          if (held !== null && last !== null && ready.length === 0) held.delta = last;
          else {
            held?.release();
            held = last && new Held(last, milliseconds);
          }
          if (ready.length > 0) yield ready;
          continue;
        }
        if (held !== null) {
          const { delta } = held;
          held.release();
          held = null;
          yield [delta];
        }
        if (given.kind === 'error') throw given.error;
        if (given.kind === 'end') return;
      }
    } finally {
      held?.release();
      await source.return();
    }
  });
}

/** What comes first: something of the source, or the end of the time for which a delta is held. */
type Given =
  | { readonly kind: 'batch'; readonly batch: readonly ResponseEvent[] }
  | { readonly kind: 'due' | 'end' }
  | { readonly kind: 'error'; readonly error: unknown };

/** Never rejects: what came before an error is told before it. */
function ask(source: Batches): Promise<Given> {
  return source.next().then(
    (result): Given => (result.done ? { kind: 'end' } : { kind: 'batch', batch: result.value }),
    (error: unknown): Given => ({ kind: 'error', error }),
  );
}

/** A delta that others may be joined to. */
class Held {
  delta: ResponseEvent;
  readonly isDue: Promise<Given>;
  private readonly timer: NodeJS.Timeout;

  constructor(delta: ResponseEvent, milliseconds: number) {
    this.delta = delta;
    const { promise, resolve } = Promise.withResolvers<Given>();
    this.isDue = promise;
    this.timer = setTimeout(() => resolve({ kind: 'due' }), milliseconds);
  }

  release(): void {
    clearTimeout(this.timer);
  }
}

/** A batch behind a delta that is held: what is ready to be told, and the last delta, which may grow further. */
function joinOn(
  held: ResponseEvent | undefined,
  batch: readonly ResponseEvent[],
): { readonly ready: readonly ResponseEvent[]; readonly last: ResponseEvent | null } {
  const events = joinAll(held === undefined ? batch : [held, ...batch]);
  const last = events.at(-1);
  return last !== undefined && 'delta' in last
    ? { ready: events.slice(0, -1), last }
    : { ready: events, last: null };
}

function releaseWith(signal: StopSignal, source: Batches): void {
  // Whoever reads the source meets its error.
  signal.addEventListener('abort', () => void source.return().catch(() => {}));
}
