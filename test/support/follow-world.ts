import { sizeOfEvents } from '../../src/engine/following/events-size.ts';
import { followResponse } from '../../src/engine/following/follow-response.ts';
import { Hub } from '../../src/engine/following/hub.ts';
import { LogReader } from '../../src/engine/following/log-reader.ts';
import type { ResponseEvent } from '../../src/protocol/events.ts';
import { newItemId, newResponseId } from '../../src/protocol/ids.ts';
import { INITIAL_STATE } from '../../src/protocol/response.ts';
import type { Database } from '../../src/store/database.ts';

export const scope = { tenant: 'default' };

export const event = (sequenceNumber: number): ResponseEvent => ({
  type: 'response.in_progress',
  state: INITIAL_STATE,
  sequenceNumber,
});
export const terminal = (sequenceNumber: number): ResponseEvent => ({
  type: 'response.completed',
  state: { ...INITIAL_STATE, status: 'completed' },
  sequenceNumber,
});
const itemId = newItemId('msg');
export const delta = (sequenceNumber: number, text = `${sequenceNumber} `): ResponseEvent => ({
  type: 'response.output_text.delta',
  itemId,
  outputIndex: 0,
  contentIndex: 0,
  delta: text,
  logprobs: null,
  sequenceNumber,
});
export const events = (first: number, last: number, make = event) =>
  Array.from({ length: last - first + 1 }, (_, index) => make(first + index));

interface World {
  /** Events in the log. */
  log: readonly ResponseEvent[];
  /** Number of the terminal event, as the row tells it; null while in flight. */
  end: number | null;
  isGone: boolean;
  isAway: boolean;
  /** How many events a page holds. */
  page: number;
  /** Called when the log has been read, and before the reader learns what was in it. */
  onRead: () => void;
}

/** Followers of a response whose log is what `world` says. */
export function startFollowers(more: Partial<World> = {}) {
  const world: World = {
    log: [],
    end: null,
    isGone: false,
    isAway: false,
    page: 3,
    onRead: () => {},
    ...more,
  };
  const hub = new Hub();
  const responseId = newResponseId();
  let reads = 0;
  const sql = async (_: TemplateStringsArray, ...values: unknown[]) => {
    reads++;
    if (world.isAway) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    const missed = world.log.filter(({ sequenceNumber }) => sequenceNumber > Number(values[4]));
    const { isGone, end } = world;
    world.onRead();
    const page = missed.slice(0, world.page);
    const row = { exists: !isGone, lastSequence: end, trimmed: false, found: missed.length };
    if (page.length === 0) return [{ ...row, body: null }];
    const isWhole = page.length === missed.length;
    return [{ ...row, found: isWhole ? 1 : 2, body: JSON.stringify(page) }];
  };
  const as = async (_: unknown, statement: (run: typeof sql) => unknown) => statement(sql);
  const database = { as } as unknown as Database;
  const dependencies = { database, hub, reader: new LogReader(database), recentOf: () => undefined };
  const follow = (after = -1) => followResponse(dependencies, { scope, responseId, after });
  /** As the recorder does: commits, then tells. */
  const tell = (told: readonly ResponseEvent[]) => {
    world.log = [...world.log, ...told];
    const last = told.at(-1);
    if (last?.type === 'response.completed') world.end = last.sequenceNumber;
    hub.tell(responseId, told, sizeOfEvents(told));
  };
  /** As another process does: commits; its wake-up may come. */
  const log = (committed: readonly ResponseEvent[]) => {
    world.log = [...world.log, ...committed];
    const last = committed.at(-1);
    if (last?.type === 'response.completed') world.end = last.sequenceNumber;
    return () => hub.wake(responseId, last?.sequenceNumber ?? 0);
  };
  return { world, hub, responseId, follow, tell, log, reads: () => reads };
}

export type Batches = AsyncGenerator<readonly ResponseEvent[], void>;

export const numbersOf = (all: readonly ResponseEvent[]) => all.map(({ sequenceNumber }) => sequenceNumber);
export const numbers = async (batches: Batches) => numbersOf((await Array.fromAsync(batches)).flat());
export const next = async (batches: Batches) => numbersOf((await batches.next()).value ?? []);
export const upTo = (last: number) => Array.from({ length: last + 1 }, (_, index) => index);
/** Whatever can happen by itself has happened. */
export const settled = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
};
