import { setTimeout as delay } from 'node:timers/promises';
import type { ResponseId } from '../../protocol/ids.ts';
import type { McpSecrets } from '../../protocol/tools.ts';
import { type Database, isDatabaseAway } from '../../store/database.ts';
import { type Claimed, claimWaiting, handBack, stillReserved } from '../../store/ownership.ts';
import type { WakeUps } from '../../store/wake-ups.ts';
import type { Logger } from '../../util/logger.ts';
import { oneAtATime } from '../../util/one-at-a-time.ts';
import type { Hub } from '../following/hub.ts';
import type { Joining } from '../run/joining.ts';
import type { EventSink, Run } from '../run/run.ts';
import { type RunDependencies, runResponse } from '../run/run-response.ts';
import type { Runs } from '../run/runs.ts';
import { endOrphan, type Orphan, orphanOutcome, STOPPED } from './end-orphans.ts';
import { loadRun } from './load-run.ts';

export interface BackgroundOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly hub: Hub;
  readonly wakeUps: WakeUps;
  readonly recorder: EventSink;
  readonly joining: Joining;
  readonly runs: Runs;
  readonly processId: () => string;
  /** Background runs at once in this process; more stay queued. */
  readonly limit: number;
  readonly run: RunDependencies;
  /** Called for a run in which something broke that is no outcome of a run. */
  readonly onBroken: (run: Run) => void;
}

/** How long a stop waits for the last commits and for the rows to be handed back. In milliseconds. */
const HAND_BACK_MS = 1000;

/** When to look again for what was queued here and then not found. In milliseconds. */
const PASSED_OVER_MS = 200;

/** Of one claim: a response that was lost meanwhile may be claimed again before its first run here has let go. */
interface Place {
  run: Run | null;
}

const NO_SECRETS: McpSecrets = new Map();

/**
 * The background runs of this process. The queue is the responses themselves: whoever has room claims the oldest that
 * nobody runs, whether it is new, was handed back, or was left by a process that died.
 */
export class Background {
  private readonly options: BackgroundOptions;
  /** From the claim to the end; null until it can run. */
  private readonly hand = new Map<ResponseId, Place>();
  private readonly tasks = new Set<Promise<void>>();
  /** Runs that broke here: whoever gave them up ends them, and nobody runs them again. */
  private readonly broken = new Set<ResponseId>();
  /** Of what was queued here and has not ended. Nobody else has them. */
  private readonly secrets = new Map<ResponseId, McpSecrets>();
  private readonly claimSoon = oneAtATime(() => this.claim());
  private readonly handBackSoon = oneAtATime(() => this.handBack());
  private hasNew = false;
  private stopping = false;

  constructor(options: BackgroundOptions) {
    this.options = options;
  }

  /** Runs in hand. */
  get count(): number {
    return this.hand.size;
  }

  /** Takes note of a response that this process has just queued, and of the secrets of its MCP servers. */
  add(id: ResponseId, secrets: McpSecrets): void {
    if (this.stopping) return void this.handBackSoon();
    if (secrets.size > 0) this.secrets.set(id, secrets);
    else this.hasNew = true;
    this.wake();
  }

  /** Claims what waits, as far as there is room. Never throws: what fails is tried again at the next call. */
  wake(): void {
    void this.claimSoon();
  }

  /**
   * Claims no more and hands everything back, for others to go on with at once: a run in the middle of its tool calls
   * once these are over, one with secrets, which nobody else has, once it is `late`. Resolves when all is handed back,
   * at most a second after that. Never throws.
   */
  async stop(late: Promise<void>): Promise<void> {
    this.stopping = true;
    for (const [id, { run }] of this.hand) if (!this.secrets.has(id)) run?.handBack.ask({ now: false });
    this.secrets.clear(); // what has not begun is handed back without them
    const handedBack = this.emptied();
    await Promise.race([handedBack, late]);
    for (const { run } of this.hand.values()) run?.handBack.ask({ now: true });
    await Promise.race([handedBack, delay(HAND_BACK_MS, undefined, { ref: false })]);
  }

  private async emptied(): Promise<void> {
    await this.claimSoon(); // one may be under way
    void this.handBackSoon(); // what has not begun
    await Promise.all(this.tasks);
    await this.handBackSoon();
  }

  private get inHand(): readonly ResponseId[] {
    return [...this.hand.keys(), ...this.broken];
  }

  private async claim(): Promise<void> {
    const { database, logger, limit, processId, wakeUps } = this.options;
    const owner = processId();
    const room = limit - this.hand.size;
    const { hasNew } = this;
    this.hasNew = false;
    if (this.stopping) return;
    try {
      if (room > 0) {
        const reserved = [...this.secrets.keys()];
        const claim = { processId: owner, inHand: this.inHand, reserved, limit: room };
        const claimed = await claimWaiting(database, claim);
        // Under an id that was declared dead meanwhile these are nobody's.
        if (!this.stopping && owner === processId()) for (const each of claimed) this.take(each, owner);
        // What somebody else had locked for a moment was passed over.
        if (hasNew && claimed.length === 0) this.wakeLater();
      }
      if (hasNew && this.hand.size >= limit) wakeUps.send([{ type: 'work' }]); // others may have room
      await this.forget(owner);
    } catch (error) {
      const words = 'what waits in the background could not be claimed';
      if (isDatabaseAway(error)) logger.warn({ error }, words);
      else logger.error({ error }, words);
    }
  }

  private wakeLater(): void {
    setTimeout(() => this.wake(), PASSED_OVER_MS).unref();
  }

  /** What was to be run here, or was given up here, may have ended, or be with another process by now. */
  private async forget(owner: string): Promise<void> {
    const waiting = [...this.secrets.keys()].filter((id) => !this.hand.has(id));
    const ids = [...waiting, ...this.broken];
    if (ids.length === 0) return;
    const still = await stillReserved(this.options.database, owner, ids);
    for (const id of ids) {
      if (still.has(id) || this.hand.has(id)) continue;
      this.secrets.delete(id);
      this.broken.delete(id);
    }
  }

  private take(claimed: Claimed, owner: string): void {
    const place: Place = { run: null };
    this.hand.set(claimed.id, place);
    const task = this.pursue(claimed, owner, place)
      .catch((error: unknown) => this.giveUp({ ...claimed, owner }, error))
      .then((isOver) => {
        if (this.hand.get(claimed.id) === place) this.hand.delete(claimed.id);
        this.tasks.delete(task);
        if (this.stopping) void this.handBackSoon();
        else if (isOver) this.wake();
      });
    this.tasks.add(task);
  }

  /** Runs a response until it has ended or is somebody else's; false if it could not be begun yet. */
  private async pursue(claimed: Claimed, owner: string, place: Place): Promise<boolean> {
    const { database, recorder, joining, runs, processId, logger, onBroken } = this.options;
    const { id } = claimed;
    const outcome = orphanOutcome(claimed);
    if (outcome !== null) {
      await endOrphan(this.options, { ...claimed, owner }, outcome);
      return true;
    }
    const run = await loadRun(database, claimed, { sink: recorder, joining });
    if (this.stopping || owner !== processId()) return false;
    if (run.isTakenOver) logger.info({ responseId: id }, 'a background run was taken over');
    run.flush();
    place.run = run;
    runs.add(run);
    const work = runResponse(run, this.secrets.get(id) ?? NO_SECRETS, this.options.run).catch(
      (error: unknown) => {
        logger.error({ error, responseId: id }, 'a run could not be ended');
        onBroken(run);
      },
    );
    runs.finish(work);
    const ended = await run.ended;
    if (ended === null) {
      await run.settled();
      if (!run.handBack.done && owner === processId()) this.broken.add(id);
    }
    if (ended !== null || this.broken.has(id)) this.secrets.delete(id);
    return true;
  }

  /** What cannot be read is tried again; what makes no sense would only come back. */
  private async giveUp(orphan: Orphan, error: unknown): Promise<boolean> {
    const { logger } = this.options;
    const about = { error, responseId: orphan.id };
    if (isDatabaseAway(error)) {
      logger.warn(about, 'a background run could not be begun yet');
      return false;
    }
    logger.error(about, 'a background run could not be begun');
    try {
      await endOrphan(this.options, orphan, STOPPED);
      return true;
    } catch (failure) {
      logger.error({ ...about, error: failure }, 'a background run that cannot be begun could not be ended');
      return false;
    }
  }

  private async handBack(): Promise<void> {
    const { database, logger, processId, wakeUps } = this.options;
    try {
      await handBack(database, processId(), this.inHand);
      wakeUps.send([{ type: 'work' }]);
    } catch (error) {
      // Others find them once the lease of this process has ended.
      logger.warn({ error }, 'background runs could not be handed back');
    }
  }
}
