import { asResponseId, type ResponseId } from '../../protocol/ids.ts';
import type { WakeUp } from '../wake-ups.ts';

/** The most that Postgres takes with one notification. Messages are ASCII: a character is a byte. */
export const MAX_MESSAGE_BYTES = 7_999;

/** The most responses, and the most cancellations, that wait for being sent: of more the oldest go. */
const MAX_GATHERED = 5_000;

/** What stands at the beginning of every message. Another version may come from a newer server beside this one. */
const VERSION = '1';

const ID_PREFIX = 'resp_';

/** Wake-ups that wait for being sent, in the order in which they came. */
export class GatheredWakeUps {
  private logged = new Map<ResponseId, number>();
  private cancelled = new Set<ResponseId>();
  private work = false;

  get isEmpty(): boolean {
    return this.logged.size === 0 && this.cancelled.size === 0 && !this.work;
  }

  add(wakeUp: WakeUp): void {
    switch (wakeUp.type) {
      case 'logged':
        this.logged.set(wakeUp.responseId, wakeUp.last);
        dropOldest(this.logged);
        return;
      case 'cancel':
        this.cancelled.add(wakeUp.responseId);
        dropOldest(this.cancelled);
        return;
      case 'work':
        this.work = true;
        return;
      default:
        return wakeUp satisfies never;
    }
  }

  /** Begins anew: maps that are cleared, again and again, leave a chain of their old tables behind. */
  clear(): void {
    this.logged = new Map();
    this.cancelled = new Set();
    this.work = false;
  }

  /** Everything as messages of at most {@link MAX_MESSAGE_BYTES}; nothing of it is left here. */
  take(origin: string): readonly string[] {
    const words = this.work ? ['w'] : [];
    for (const id of this.cancelled) words.push(`c${id.slice(ID_PREFIX.length)}`);
    for (const [id, last] of this.logged) words.push(`l${id.slice(ID_PREFIX.length)}:${last}`);
    this.clear();
    return toMessages(words, origin);
  }
}

function dropOldest(waiting: Map<ResponseId, number> | Set<ResponseId>): void {
  if (waiting.size <= MAX_GATHERED) return;
  const [oldest] = waiting.keys();
  if (oldest !== undefined) waiting.delete(oldest);
}

function toMessages(words: readonly string[], origin: string): readonly string[] {
  const head = `${VERSION} ${origin}`;
  const messages: string[] = [];
  let message = head;
  for (const word of words) {
    if (message.length + 1 + word.length > MAX_MESSAGE_BYTES) {
      messages.push(message);
      message = head;
    }
    message += ` ${word}`;
  }
  if (message !== head) messages.push(message);
  return messages;
}

const HEX = '[0-9a-f]+';
const WORD = new RegExp(`^(?:w|c(?<cancelled>${HEX})|l(?<logged>${HEX}):(?<last>[0-9]{1,15}))$`);

/**
 * What a message says, never an error: a channel is open to everybody. What cannot be read is left out, and so is
 * everything in a message from `own`, the origin that this process writes into its messages.
 */
export function readWakeUps(message: string, own: string): readonly WakeUp[] {
  if (message.length > MAX_MESSAGE_BYTES || !message.startsWith(`${VERSION} `)) return [];
  const [, origin, ...words] = message.split(' ');
  return origin === own ? [] : words.flatMap(readWord);
}

function readWord(word: string): readonly WakeUp[] {
  const groups = WORD.exec(word)?.groups;
  if (groups === undefined) return [];
  if (word === 'w') return [{ type: 'work' }];
  const responseId = asResponseId(`${ID_PREFIX}${groups['cancelled'] ?? groups['logged']}`);
  if (responseId === null) return [];
  if (groups['cancelled'] !== undefined) return [{ type: 'cancel', responseId }];
  return [{ type: 'logged', responseId, last: Number(groups['last']) }];
}
