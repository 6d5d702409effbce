import { ToolFailure } from '../tool-failure.ts';

export interface Limits {
  /** In milliseconds, for the whole work. */
  readonly timeoutMs: number;
  /** Each of them ends the work. */
  readonly signals: readonly AbortSignal[];
  /** Begins the sentence "… took longer than 60 seconds." */
  readonly subject: string;
}

/**
 * What `work` gives, if it does so in time. Its signal is aborted only while it runs, so nobody hears of an abort
 * that comes later; the signal's reason says nothing, as it may be told to a server.
 *
 * @throws ToolFailure `timeout`; the reason of one of the signals; what `work` throws
 */
export async function within<Result>(
  { timeoutMs, signals, subject }: Limits,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  for (const signal of signals) signal.throwIfAborted();
  const controller = new AbortController();
  const given = Promise.withResolvers<never>();
  const giveUp = (reason: unknown) => {
    given.reject(reason);
    controller.abort('No longer waited for.');
  };
  const timer = setTimeout(() => {
    giveUp(new ToolFailure('timeout', `${subject} took longer than ${inSeconds(timeoutMs)}.`));
  }, timeoutMs);
  const listeners = signals.map((signal) => {
    const listener = () => giveUp(signal.reason);
    signal.addEventListener('abort', listener);
    return () => signal.removeEventListener('abort', listener);
  });
  try {
    return await Promise.race([given.promise, work(controller.signal)]);
  } finally {
    clearTimeout(timer);
    for (const remove of listeners) remove();
  }
}

/** Waits for work, whatever becomes of it, but no longer than that. Never throws. */
export async function atMost(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, milliseconds);
  await Promise.race([late.promise, work.catch(() => {})]);
  clearTimeout(timer);
}

function inSeconds(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}
