import { applyEvent } from '../../protocol/apply-event.ts';
import { closeOpenItems } from '../../protocol/close-items.ts';
import type { EventDraft, ResponseEvent } from '../../protocol/events.ts';
import type { Item } from '../../protocol/items.ts';
import { joinDeltas } from '../../protocol/join-deltas.ts';
import type { ResponseBase, ResponseState, Snapshot } from '../../protocol/response.ts';
import { addUsage, type Usage } from '../../protocol/usage.ts';
import { orAborted } from '../../util/async-iteration.ts';
import { RecentEvents } from '../following/recent-events.ts';
import { HandBack } from './hand-back.ts';
import type { Joining } from './joining.ts';
import { EventNumbers } from './number-events.ts';
import { type Outcome, type StopReason, TERMINAL_TYPES } from './outcome.ts';
import { Unsaved } from './unsaved.ts';

/** Where the events of a run go: to the log and from there to followers, or straight to them if nothing is stored. */
export interface EventSink {
  /**
   * Takes events in their order. `ended` is set with the batch that holds the terminal event; `late` with one that has
   * waited long enough, so that nothing else need be waited for.
   */
  append(run: Run, events: readonly ResponseEvent[], ended: boolean, late: boolean): void;
  /** Resolves when this run may go on: at once, unless too much of it waits to be committed. */
  room(run: Run): Promise<void> | null;
  /** Resolves when everything of this run so far has been committed, or given up. */
  committed(run: Run): Promise<void>;
  /**
   * Null while this process may count on being alive for all others. Else a promise that resolves when it knows
   * more, and is to be asked again; if others have declared it dead, its runs are lost by then.
   */
  assure(): Promise<void> | null;
  /** How many events of this run wait to be committed. When none does any more, the sink flushes the run. */
  waiting(run: Run): number;
}

/** A delta as long as this is held no longer. In characters. */
const MAX_HELD = 16 * 1024;

export interface RunOptions {
  readonly tenant: string;
  readonly base: ResponseBase;
  /** The conversation that the model is given: history, then this response's own input. */
  readonly context: readonly Item[];
  /** How many items the response's own input has. */
  readonly inputLength: number;
  /** Where it stands: the fold of what is in its log. */
  readonly state: ResponseState;
  /** The number of its next event. */
  readonly nextSequence: number;
  /** The events before that, if they were committed just now. */
  readonly firstEvents?: readonly ResponseEvent[];
  /** True if another process had begun it, or may have: its secrets are gone. */
  readonly isTakenOver: boolean;
  /** True if its beginning is still to be committed: until `confirm` it may listen to a model, and nobody hears of it. */
  readonly isUnconfirmed?: boolean;
  readonly sink: EventSink;
  readonly joining: Joining;
}

/** One response in flight: its state, and the only way to change it. */
export class Run {
  readonly tenant: string;
  readonly base: ResponseBase;
  readonly context: readonly Item[];
  readonly inputLength: number;
  readonly isTakenOver: boolean;
  /** What it has told. */
  readonly recent: RecentEvents;
  readonly unsaved = new Unsaved();
  /** How it goes to another process, if that is asked for. */
  readonly handBack: HandBack = new HandBack(this);
  /** Set while the joining of deltas holds it back. */
  isHeld = false;
  /** Resolves with the state as it was told, once the terminal event is; null if the run was lost before. */
  readonly ended: Promise<Snapshot | null>;

  private readonly sink: EventSink;
  private readonly numbers: EventNumbers;
  private readonly stopping = new AbortController();
  private readonly settle: (snapshot: Snapshot | null) => void;
  private current: ResponseState;
  /** Deltas of one place, as one, that `current` does not show yet: folding each of them would copy its item each time. */
  private unfolded: EventDraft | null = null;
  private usage: Usage | null;
  private isLost = false;
  private pending: EventDraft[] = [];
  /** Until its beginning is committed. */
  private beginning: PromiseWithResolvers<void> | null;
  private hasEnded = false;
  private readonly joining: Joining;
  private isBehind = false;

  constructor(options: RunOptions) {
    this.tenant = options.tenant;
    this.base = options.base;
    this.context = options.context;
    this.inputLength = options.inputLength;
    this.isTakenOver = options.isTakenOver;
    this.sink = options.sink;
    this.joining = options.joining;
    this.numbers = new EventNumbers(options.nextSequence);
    this.recent = new RecentEvents(options.nextSequence, options.firstEvents);
    this.current = options.state;
    this.usage = options.state.usage;
    this.beginning = options.isUnconfirmed === true ? Promise.withResolvers() : null;
    ({ promise: this.ended, resolve: this.settle } = Promise.withResolvers<Snapshot | null>());
  }

  /** The input that the request itself brought: the end of the context. */
  get ownInput(): readonly Item[] {
    return this.context.slice(this.context.length - this.inputLength);
  }

  /** The fold of everything emitted so far, told or not. */
  get state(): ResponseState {
    if (this.unfolded !== null) this.current = applyEvent(this.current, this.unfolded);
    this.unfolded = null;
    return this.current;
  }

  /** Aborted when the run is to stop; its reason is a StopReason. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  stop(reason: StopReason): void {
    this.stopping.abort(reason);
  }

  /** True while deltas are better joined than told one by one. */
  get joins(): boolean {
    return this.isBehind || this.joining.isOn(this.pending.length);
  }

  /** Folds an event at once and tells it with the next `flush`. */
  emit(draft: EventDraft): void {
    const isDelta = 'delta' in draft;
    if (isDelta) this.foldLater(draft);
    else this.current = applyEvent(this.state, draft);
    const joined = isDelta && this.joins ? joinDeltas(this.pending.at(-1), draft) : null;
    if (joined === null) this.pending.push(draft);
    else this.pending[this.pending.length - 1] = joined;
  }

  private foldLater(delta: EventDraft): void {
    const joined = this.unfolded === null ? delta : joinDeltas(this.unfolded, delta);
    if (joined === null) this.current = this.state;
    this.unfolded = joined ?? delta;
  }

  /**
   * Hands over what was emitted since the last time, as one batch. A delta that would wait for a commit anyway, or
   * for its turn in a process that has too much to do, may wait here, where others can be joined to it.
   */
  flush(): void {
    const waiting = this.sink.waiting(this);
    this.isBehind = this.joining.isOn(waiting);
    const [first, ...more] = this.pending;
    const isDelta = first !== undefined && more.length === 0 && 'delta' in first;
    const mayWait = isDelta && this.isBehind && first.delta.length < MAX_HELD;
    if (!mayWait || (waiting === 0 && !this.joining.holds(this))) this.handOver();
  }

  private handOver(late = false): void {
    if (this.pending.length === 0 || this.beginning !== null) return;
    const events = this.numbers.number(this.pending);
    this.pending = [];
    this.sink.append(this, events, this.hasEnded, late);
  }

  /** Its beginning is committed: what it has emitted meanwhile goes to the log. */
  confirm(): void {
    const { beginning } = this;
    this.beginning = null;
    this.handOver(true);
    beginning?.resolve();
  }

  room(): Promise<void> | null {
    return this.beginning?.promise ?? this.sink.room(this);
  }

  /**
   * Tells what was emitted, and resolves when it is committed: what happens next, nobody can take for not started.
   *
   * @throws the reason of the run's signal when it is stopped before, or its events are refused.
   */
  async commit(): Promise<void> {
    if (this.beginning !== null) await orAborted(this.beginning.promise, this.signal);
    this.signal.throwIfAborted();
    this.handOver();
    await orAborted(this.sink.committed(this), this.signal);
    this.signal.throwIfAborted();
    // This process may have stood still since: what was its own then may be somebody else's now.
    for (let doubt = this.sink.assure(); doubt !== null; doubt = this.sink.assure()) {
      await orAborted(doubt, this.signal);
      this.signal.throwIfAborted();
    }
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
    for (const draft of closeOpenItems(this.state)) this.emit(draft);
    this.emit({
      type: TERMINAL_TYPES[outcome.status],
      state: {
        ...this.state,
        status: outcome.status,
        completedAt: Date.now(),
        usage: this.usage,
        error: outcome.status === 'failed' ? outcome.error : null,
        incompleteReason: outcome.status === 'incomplete' ? outcome.reason : null,
      },
    });
    this.hasEnded = true;
    this.handOver();
  }

  /** Called by the sink when the terminal event has been told. */
  told(lastSequence: number): void {
    this.settle({ base: this.base, state: this.state, sequenceNumber: lastSequence });
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

  /** Resolves when nothing of this run is being committed. */
  settled(): Promise<void> {
    return this.sink.committed(this);
  }
}
