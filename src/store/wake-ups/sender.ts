import { orAborted, pause } from '../../util/async-iteration.ts';
import type { WakeUp } from '../wake-ups.ts';
import { KeptLine, type Line } from './kept-line.ts';
import { GatheredWakeUps } from './messages.ts';

export interface SendingLine extends Line {
  send(messages: readonly string[]): Promise<void>;
}

export interface WakeUpSenderSettings {
  /** Stands in every message, for its sender to know it again. */
  readonly origin: string;
  readonly makeLine: (onLost: (reason: unknown) => void) => SendingLine;
  /** Messages got through, or could now. */
  readonly onUp: () => void;
  readonly onDown: (reason: unknown) => void;
}

/** From one send to the next: in between wake-ups gather, as every message costs every process something. */
const SEND_EVERY_MS = 5;

/** How long a close waits for what is still to be sent. */
const CLOSE_LIMIT_MS = 500;

/** The way out for wake-ups. What cannot leave soon is dropped. */
export class WakeUpSender {
  private readonly settings: WakeUpSenderSettings;
  private readonly line: KeptLine<SendingLine>;
  private readonly gathered = new GatheredWakeUps();
  private readonly closing = new AbortController();
  /** `away` if the last attempt at a line failed. */
  private way: 'opening' | 'open' | 'away' = 'opening';
  private sending: Promise<void> | null = null;

  constructor(settings: WakeUpSenderSettings) {
    this.settings = settings;
    this.line = new KeptLine({
      make: settings.makeLine,
      onUp: () => {
        this.way = 'open';
        settings.onUp();
        this.start();
      },
      onDown: (reason) => {
        this.way = this.way === 'open' ? 'opening' : 'away';
        if (this.way === 'away') this.gathered.clear();
        settings.onDown(reason);
      },
    });
  }

  send(wakeUps: readonly WakeUp[]): void {
    if (this.way === 'away' || this.closing.signal.aborted) return;
    for (const wakeUp of wakeUps) this.gathered.add(wakeUp);
    this.start();
  }

  /** Sends what has gathered if that takes no more than a moment. */
  async close(): Promise<void> {
    this.closing.abort();
    if (this.sending !== null) await orAborted(this.sending, AbortSignal.timeout(CLOSE_LIMIT_MS));
    await this.line.close();
  }

  private start(): void {
    if (this.line.isUp && !this.gathered.isEmpty) this.sending ??= this.sendAll();
  }

  private async sendAll(): Promise<void> {
    const { origin, onUp, onDown } = this.settings;
    while (this.line.isUp && !this.gathered.isEmpty) {
      const messages = this.gathered.take(origin);
      await this.line.use((line) => line.send(messages)).then(onUp, onDown);
      await pause(SEND_EVERY_MS, this.closing.signal).catch(() => {});
    }
    this.sending = null;
  }
}
