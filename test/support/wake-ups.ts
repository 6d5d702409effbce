import { pino } from 'pino';
import { expect } from 'vitest';
import { newResponseId } from '../../src/protocol/ids.ts';
import type { WakeUpSettings } from '../../src/store/wake-ups/create-wake-ups.ts';
import type { WakeUp, WakeUpListener, WakeUps } from '../../src/store/wake-ups.ts';

/** Keeps what it hears. */
export interface RecordingListener extends WakeUpListener {
  readonly heard: readonly WakeUp[];
  readonly gaps: number;
}

export function createRecordingListener(): RecordingListener {
  const heard: WakeUp[] = [];
  let gaps = 0;
  return {
    heard,
    get gaps() {
      return gaps;
    },
    onWakeUps: (wakeUps) => void heard.push(...wakeUps),
    onGap: () => {
      gaps++;
    },
  };
}

/** A logger whose lines a test can read. */
export function createRecordingLogger() {
  const lines: { readonly level: number; readonly msg: string; readonly [key: string]: unknown }[] = [];
  return { lines, logger: pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line)) }) };
}

export const logged = (last: number): WakeUp => ({ type: 'logged', responseId: newResponseId(), last });
export const cancel = (): WakeUp => ({ type: 'cancel', responseId: newResponseId() });
export const work: WakeUp = { type: 'work' };

/** Patient enough for a connection that is first found dead and then made again. */
export const SOON = { timeout: 10_000 };

/** One process as its neighbours see it. */
export interface Joined extends AsyncDisposable {
  readonly lines: readonly { readonly level: number }[];
  readonly listener: RecordingListener;
  readonly send: WakeUps['send'];
  readonly close: WakeUps['close'];
}

/** A process that listens. */
export function joinOver(
  create: (settings: WakeUpSettings) => WakeUps,
  place: Omit<WakeUpSettings, 'logger'>,
): Joined {
  const { lines, logger } = createRecordingLogger();
  const listener = createRecordingListener();
  const { send, listen, close } = create({ ...place, logger });
  listen(listener);
  return { lines, listener, send, close, [Symbol.asyncDispose]: close };
}

/** Passes once this process listens, for so many times from the beginning on. */
export async function expectListening({ listener }: Joined, gaps = 1): Promise<void> {
  await expect.poll(() => listener.gaps, SOON).toBe(gaps);
}

/** Passes once a wake-up gets from one to the other, however many are lost before. */
export async function expectHeard(from: Joined, to: Joined): Promise<void> {
  const wakeUp = logged(42);
  const sendAgain = () => {
    from.send([wakeUp]);
    return to.listener.heard;
  };
  await expect.poll(sendAgain, SOON).toContainEqual(wakeUp);
}
