import { applyEvent } from '../../protocol/apply-event.ts';
import { closeOpenItems } from '../../protocol/close-items.ts';
import type { EventDraft, ResponseEvent, TerminalType } from '../../protocol/events.ts';
import type { Item } from '../../protocol/items.ts';
import {
  INITIAL_STATE,
  type IncompleteReason,
  type ResponseBase,
  type ResponseError,
  type ResponseState,
  type Snapshot,
} from '../../protocol/response.ts';
import { addUsage, type Usage } from '../../protocol/usage.ts';
import { orAborted } from '../../util/async-iteration.ts';
import { EventNumbers } from './number-events.ts';

/** Where the events of a run go: to the log and from there to followers, or straight to them if nothing is stored. */
export interface EventSink {
  /** Takes events in their order. `ended` is set with the batch that holds the terminal event. */
  append(run: Run, events: readonly ResponseEvent[], ended: boolean): void;
  /** Resolves when this run may go on: at once, unless too much of it waits to be committed. */
  room(run: Run): Promise<void> | null;
  /** Resolves when everything of this run so far has been committed, or given up. */
  committed(run: Run): Promise<void>;
}

/** How a run ends. */
export type Outcome =
  | { readonly status: 'completed' }
  | { readonly status: 'incomplete'; readonly reason: IncompleteReason }
  | { readonly status: 'failed'; readonly error: ResponseError }
  | { readonly status: 'cancelled' };

/** Why a run is stopped from outside. */
export type StopReason = 'cancelled' | 'shutdown' | 'lost';

export interface RunOptions {
  readonly tenant: string;
  readonly base: ResponseBase;
  /** The conversation that the model is given: history, then this response's own input. */
  readonly context: readonly Item[];
  /** How many items the response's own input has. */
  readonly inputLength: number;
  readonly sink: EventSink;
}

/** One response in flight: its state, and the only way to change it. */
export class Run {
  readonly tenant: string;
  readonly base: ResponseBase;
  readonly context: readonly Item[];
  readonly inputLength: number;
  /** Resolves with the state as it was told, once the terminal event is; null if the run was lost before. */
  readonly ended: Promise<Snapshot | null>;

  private readonly sink: EventSink;
  private readonly numbers = new EventNumbers();
  private readonly stopping = new AbortController();
  private readonly settle: (snapshot: Snapshot | null) => void;
  private current: ResponseState = INITIAL_STATE;
  private usage: Usage | null = null;
  private isLost = false;
  private pending: EventDraft[] = [];

  constructor({ tenant, base, context, inputLength, sink }: RunOptions) {
    this.tenant = tenant;
    this.base = base;
    this.context = context;
    this.inputLength = inputLength;
    this.sink = sink;
    const { promise, resolve } = Promise.withResolvers<Snapshot | null>();
    this.ended = promise;
    this.settle = resolve;
  }

  /** The input that the request itself brought: the end of the context. */
  get ownInput(): readonly Item[] {
    return this.context.slice(this.context.length - this.inputLength);
  }

  /** The fold of everything emitted so far, told or not. */
  get state(): ResponseState {
    return this.current;
  }

  /** Aborted when the run is to stop; its reason is a StopReason. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  stop(reason: StopReason): void {
    this.stopping.abort(reason);
  }

  /** The events that every run begins with. They are committed with the response itself, and so do not go to the sink. */
  begin(): readonly ResponseEvent[] {
    return this.numbers.number([
      { type: 'response.created', state: this.current },
      { type: 'response.in_progress', state: this.current },
    ]);
  }

  /** Folds an event at once and tells it with the next `flush`. Deltas that follow each other are joined. */
  emit(draft: EventDraft): void {
    this.current = applyEvent(this.current, draft);
    const joined = join(this.pending.at(-1), draft);
    if (joined === null) this.pending.push(draft);
    else this.pending[this.pending.length - 1] = joined;
  }

  /** Hands over what was emitted since the last time, as one batch. */
  flush(): void {
    if (this.pending.length === 0) return;
    const events = this.numbers.number(this.pending);
    this.pending = [];
    this.sink.append(this, events, false);
  }

  room(): Promise<void> | null {
    return this.sink.room(this);
  }

  /**
   * Tells what was emitted, and resolves when it is committed: what happens next, nobody can take for not started.
   *
   * @throws the reason of the run's signal when it is stopped before, or its events are refused.
   */
  async commit(): Promise<void> {
    this.flush();
    await orAborted(this.sink.committed(this), this.signal);
    this.signal.throwIfAborted();
  }

  /** Tokens that all rounds so far took, as reported; null if the upstream reports none. */
  get usedTokens(): Usage | null {
    return this.usage;
  }

  addUsage(round: Usage): void {
    this.usage = addUsage(this.usage, round);
  }

  /** Closes what is open, then ends. Everything not told before goes with the terminal event, as one batch. */
  end(outcome: Outcome): void {
    for (const draft of closeOpenItems(this.current)) this.emit(draft);
    this.emit({
      type: TERMINAL_TYPES[outcome.status],
      state: {
        ...this.current,
        status: outcome.status,
        completedAt: Date.now(),
        usage: this.usage,
        error: outcome.status === 'failed' ? outcome.error : null,
        incompleteReason: outcome.status === 'incomplete' ? outcome.reason : null,
      },
    });
    const events = this.numbers.number(this.pending);
    this.pending = [];
    this.sink.append(this, events, true);
  }

  /** Called by the sink when the terminal event has been told. */
  told(lastSequence: number): void {
    this.settle({ base: this.base, state: this.current, sequenceNumber: lastSequence });
  }

  /** The run belongs to another process now: here it ends without a word. */
  lose(): void {
    this.isLost = true;
    this.stop('lost');
    this.settle(null);
  }

  get lost(): boolean {
    return this.isLost;
  }
}

export const TERMINAL_TYPES: { readonly [Status in Outcome['status']]: TerminalType } = {
  completed: 'response.completed',
  incomplete: 'response.incomplete',
  failed: 'response.failed',
  cancelled: 'response.cancelled',
};

/** Two deltas of one place as one, or null if they do not belong together. */
function join(last: EventDraft | undefined, next: EventDraft): EventDraft | null {
  if (last === undefined || last.type !== next.type) return null;
  switch (next.type) {
    case 'response.output_text.delta': {
      if (last.type !== next.type || !samePart(last, next)) return null;
      const logprobs = last.logprobs === null ? next.logprobs : [...last.logprobs, ...(next.logprobs ?? [])];
      return { ...next, delta: last.delta + next.delta, logprobs };
    }
    case 'response.refusal.delta':
    case 'response.reasoning_text.delta':
      return last.type === next.type && samePart(last, next)
        ? { ...next, delta: last.delta + next.delta }
        : null;
    case 'response.function_call_arguments.delta':
    case 'response.mcp_call_arguments.delta':
      return last.type === next.type && last.itemId === next.itemId
        ? { ...next, delta: last.delta + next.delta }
        : null;
    default:
      return null;
  }
}

type Place = { readonly itemId: string; readonly contentIndex: number };

function samePart(one: Place, other: Place): boolean {
  return one.itemId === other.itemId && one.contentIndex === other.contentIndex;
}
