import { isTerminal, type ResponseEvent } from '../../protocol/events.ts';
import type { ResponseId } from '../../protocol/ids.ts';
import type { ResponseBase } from '../../protocol/response.ts';
import type { Scope } from '../../protocol/scope.ts';
import { abortable, Bell, type StopSignal } from '../../util/async-iteration.ts';
import { AppError } from '../../util/errors.ts';
import { foldLog } from '../fold-log.ts';
import type { ResponseView } from '../read-responses.ts';
import type { EventSink, Run } from '../run/run.ts';
import { sizeOfEvents } from './events-size.ts';
import type { Hub } from './hub.ts';

export interface UnstoredOptions {
  /** How long a log is kept after the end of its run. In milliseconds. */
  readonly keepMs: number;
  /** All logs of ended runs together are at most about so large; the oldest go first. In characters. */
  readonly maxKept: number;
}

const DEFAULTS: UnstoredOptions = { keepMs: 60_000, maxKept: 64 * 1024 * 1024 };

/** A follower is given at most so many events at once. */
const PAGE = 500;

interface UnstoredLog {
  readonly tenant: string;
  readonly base: ResponseBase;
  /** The event with the number n is the nth. */
  readonly events: ResponseEvent[];
  size: number;
  /** True once its run is over, be it without a terminal event. */
  isOver: boolean;
}

/** The logs of runs that are not stored: they are in the memory of this process, and nowhere else. */
export class UnstoredLogs implements EventSink {
  private readonly hub: Hub;
  private readonly options: UnstoredOptions;
  private readonly logs = new Map<ResponseId, UnstoredLog>();
  /** Those of ended runs, the oldest first. */
  private readonly ended = new Map<ResponseId, NodeJS.Timeout>();
  private endedSize = 0;

  constructor(hub: Hub, options: Partial<UnstoredOptions> = {}) {
    this.hub = hub;
    this.options = { ...DEFAULTS, ...options };
  }

  /** Opens the log of a run with its first events, which do not go through the sink. */
  begin(run: Run, events: readonly ResponseEvent[]): void {
    const { tenant, base } = run;
    const log = { tenant, base, events: [...events], size: sizeOfEvents(events), isOver: false };
    this.logs.set(base.id, log);
    void run.ended.then(() => this.end(log));
  }

  /** Told at once, and nobody waits. */
  append(run: Run, events: readonly ResponseEvent[], ended: boolean): void {
    const log = this.logs.get(run.base.id);
    if (log === undefined || log.isOver) return;
    for (const event of events) log.events.push(event);
    const size = sizeOfEvents(events);
    log.size += size;
    log.isOver = ended;
    this.hub.tell(run.base.id, events, size);
    if (ended) run.told(events.at(-1)?.sequenceNumber ?? 0);
  }

  room(): null {
    return null;
  }

  async committed(): Promise<void> {}

  /** There is nothing that others could declare dead. */
  assure(): null {
    return null;
  }

  waiting(): number {
    return 0;
  }

  /** A response in flight; null once it has ended, and for everybody else's. */
  view(scope: Scope, id: ResponseId): ResponseView | null {
    const log = this.find(scope, id);
    if (log === null || log.isOver) return null;
    const state = foldLog(log.events);
    return { base: log.base, state, output: state.output, sequenceNumber: log.events.length - 1 };
  }

  /** What a response is, and the number of its last event so far; null if nothing is kept of it. */
  about(scope: Scope, id: ResponseId): { readonly base: ResponseBase; readonly last: number } | null {
    const log = this.find(scope, id);
    return log && { base: log.base, last: log.events.length - 1 };
  }

  /**
   * The events after the number `after`, then those to come. Ends after the terminal event.
   *
   * @throws AppError NOT_FOUND if nothing is kept of it, UNAVAILABLE when the run breaks off.
   */
  follow(scope: Scope, id: ResponseId, after: number): AsyncGenerator<readonly ResponseEvent[], void> {
    const log = this.find(scope, id);
    if (log === null) throw new AppError('NOT_FOUND', `There is no response "${id}".`);
    return abortable((signal) => this.generate(log, after, signal));
  }

  private async *generate(
    log: UnstoredLog,
    after: number,
    signal: StopSignal,
  ): AsyncGenerator<readonly ResponseEvent[], void> {
    const bell = new Bell();
    const wake = () => bell.wake();
    let next = after + 1;
    const unlisten = this.hub.listen(log.base.id, { told: wake, woken: wake });
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        const events = log.events.slice(next, next + PAGE);
        if (events.length > 0) {
          next += events.length;
          yield events;
        } else if (!log.isOver) await bell.wait();
        else if (hasEnd(log)) return;
        else throw new AppError('UNAVAILABLE', 'The run broke and was not stored.');
      }
    } finally {
      unlisten();
      signal.removeEventListener('abort', wake);
    }
  }

  private find({ tenant }: Scope, id: ResponseId): UnstoredLog | null {
    const log = this.logs.get(id);
    return log?.tenant === tenant ? log : null;
  }

  /** Keeps the log of a run that is over for a while, within the bound of all of them. */
  private end(log: UnstoredLog): void {
    const { id } = log.base;
    log.isOver = true;
    this.hub.wake(id, Number.POSITIVE_INFINITY);
    this.ended.set(id, setTimeout(() => this.drop(id), this.options.keepMs).unref());
    this.endedSize += log.size;
    for (const oldest of this.ended.keys()) {
      if (this.endedSize <= this.options.maxKept) return;
      this.drop(oldest);
    }
  }

  /** Whoever follows it has it still. */
  private drop(id: ResponseId): void {
    clearTimeout(this.ended.get(id));
    this.ended.delete(id);
    this.endedSize -= this.logs.get(id)?.size ?? 0;
    this.logs.delete(id);
  }
}

function hasEnd({ events }: UnstoredLog): boolean {
  const last = events.at(-1);
  return last !== undefined && isTerminal(last);
}
