import { randomBytes } from 'node:crypto';
import { messageOf } from '../../util/errors.ts';
import type { Logger } from '../../util/logger.ts';
import type { WakeUps } from '../wake-ups.ts';
import { KeptLine, type Line } from './kept-line.ts';
import { readWakeUps } from './messages.ts';
import { type SendingLine, WakeUpSender } from './sender.ts';

/** What wake-ups travel over. */
export interface WakeUpTransport {
  readonly makeSendingLine: (onLost: (reason: unknown) => void) => SendingLine;
  /** Messages may come as soon as the line is open. */
  readonly makeListeningLine: (
    onMessage: (message: string) => void,
    onLost: (reason: unknown) => void,
  ) => Line;
}

/** What every transport must know. */
export interface WakeUpSettings {
  readonly url: string;
  /** At most 63 bytes. Servers with the same channel wake each other: those that share a database. */
  readonly channel?: string;
  readonly logger: Logger;
}

export const DEFAULT_CHANNEL = 'responses_wake_ups';

/** Wake-ups over a transport. No connection is made before the first `send` or `listen`. */
export function createWakeUps(transport: WakeUpTransport, logger: Logger): WakeUps {
  /** Marks what comes from here, which nobody here needs to read. */
  const origin = randomBytes(6).toString('base64url');
  const outages = new Outages(logger);
  let sender: WakeUpSender | null = null;
  let listening: KeptLine<Line> | null = null;
  let closed = false;

  const getSender = () => {
    sender ??= new WakeUpSender({
      origin,
      makeLine: transport.makeSendingLine,
      onUp: () => outages.end('sending'),
      onDown: (reason) => outages.begin('sending', reason),
    });
    return sender;
  };
  const tell = (callback: () => void) => {
    try {
      if (!closed) callback();
    } catch (error) {
      logger.error({ error }, 'a listener to wake-ups failed');
    }
  };

  return {
    send: (wakeUps) => {
      if (!closed && wakeUps.length > 0) getSender().send(wakeUps);
    },
    listen: (listener) => {
      if (closed) return;
      getSender(); // who listens will have something to say soon
      const onMessage = (message: string) => {
        const wakeUps = readWakeUps(message, origin);
        if (wakeUps.length > 0) tell(() => listener.onWakeUps(wakeUps));
      };
      listening = new KeptLine({
        make: (onLost) => transport.makeListeningLine(onMessage, onLost),
        onUp: () => {
          outages.end('listening');
          tell(() => listener.onGap());
        },
        onDown: (reason) => outages.begin('listening', reason),
      });
    },
    close: async () => {
      closed = true;
      await Promise.all([listening?.close(), sender?.close()]);
    },
  };
}

type Direction = 'sending' | 'listening';

/** One line in the log when something stops working, however often it is tried again, and one when all works. */
class Outages {
  private readonly logger: Logger;
  private readonly down = new Set<Direction>();

  constructor(logger: Logger) {
    this.logger = logger;
  }

  begin(direction: Direction, error: unknown): void {
    const isNew = this.down.size === 0;
    this.down.add(direction);
    // Not the error itself: a client may have put its commands into it, the one with the password among them.
    const reason = messageOf(error) || codeOf(error);
    if (isNew)
      this.logger.warn(
        { direction, reason },
        'the notifications between servers are down; until they are back, streams may lag by a second',
      );
  }

  end(direction: Direction): void {
    if (this.down.delete(direction) && this.down.size === 0)
      this.logger.info('the notifications between servers are up again');
  }
}

/** An attempt at several addresses fails without a message. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
