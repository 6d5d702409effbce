import postgres from 'postgres';
import { expect, test } from 'vitest';
import { Hub } from '../../src/engine/following/hub.ts';
import { neverJoins } from '../../src/engine/run/joining.ts';
import { EventRecorder } from '../../src/engine/run/record-events.ts';
import { Run } from '../../src/engine/run/run.ts';
import type { ResponseEvent } from '../../src/protocol/events.ts';
import { newItemId, newResponseId } from '../../src/protocol/ids.ts';
import { INITIAL_STATE } from '../../src/protocol/response.ts';
import type { Database } from '../../src/store/database.ts';
import { createLogger } from '../../src/util/logger.ts';
import { LoopLoad } from '../../src/util/loop-load.ts';
import { modelRequest } from '../support/model-request.ts';

const BEGINNING = { state: INITIAL_STATE, nextSequence: 0, isTakenOver: false };

/** What one commit holds: for each run its id, and the numbers of its first and last event. */
type Commit = readonly (readonly [id: string, first: number, last: number])[];

/** A recorder whose database answers when, and what, the test says. */
function startRecorder() {
  const commits: { readonly rows: Commit; readonly answer: PromiseWithResolvers<boolean> }[] = [];
  const arrived = new Map<number, PromiseWithResolvers<void>>();
  const arrival = (count: number) => {
    const found = arrived.get(count) ?? Promise.withResolvers<void>();
    arrived.set(count, found);
    return found;
  };
  const sql = async (_: TemplateStringsArray, ...values: unknown[]) => {
    const [ids = [], first = [], last = []] = values.slice(2, 5).map((column) => String(column).split('\n'));
    const rows = ids.map((id, index) => [id, Number(first[index]), Number(last[index])] as const);
    const answer = Promise.withResolvers<boolean>();
    commits.push({ rows, answer });
    arrival(commits.length).resolve();
    return [{ alive: await answer.promise }];
  };
  let late = Promise.withResolvers<never>();
  const timeOut = () => {
    late.reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
    late = Promise.withResolvers<never>();
  };
  const inTime = <Result>(query: Promise<Result>) => Promise.race([query, late.promise]);
  const fenced: string[] = [];
  const refused: Run[] = [];
  const hub = new Hub();
  const recorder = new EventRecorder({
    database: { acrossTenants: sql, inTime } as unknown as Database,
    hub,
    logger: createLogger('silent'),
    processId: () => 'proc_1',
    isAlone: () => true,
    tellOthers: () => {},
    assure: () => null,
    load: new LoopLoad(20),
    onFenced: async (id) => void fenced.push(id),
    onRefused: (run) => {
      refused.push(run);
      run.lose();
    },
  });
  const told: ResponseEvent[] = [];
  const startRun = () => {
    const base = {
      id: newResponseId(),
      createdAt: 0,
      previousResponseId: null,
      settings: modelRequest().settings,
    };
    const run = new Run({
      tenant: 'default',
      base,
      context: [],
      inputLength: 0,
      ...BEGINNING,
      sink: recorder,
      joining: neverJoins,
    });
    hub.listen(base.id, { told: (events) => void told.push(...events), woken: () => {} });
    const itemId = newItemId('msg');
    const place = { itemId, outputIndex: 0 };
    const item = { type: 'message', id: itemId, status: 'in_progress', round: 0, role: 'assistant' } as const;
    const part = { type: 'output_text', text: '', annotations: [], logprobs: null } as const;
    run.emit({ type: 'response.output_item.added', ...place, item: { ...item, content: [] } });
    run.emit({ type: 'response.content_part.added', ...place, contentIndex: 0, part });
    const say = (delta: string) => {
      run.emit({ type: 'response.output_text.delta', ...place, contentIndex: 0, delta, logprobs: null });
      run.flush();
    };
    return { run, id: base.id, say };
  };
  /** Resolves with the commit number `count` (from 1) once it is asked for. */
  const commit = async (count: number) => {
    await arrival(count).promise;
    const found = commits[count - 1];
    if (found === undefined) throw new Error(`no commit ${count}`);
    return found;
  };
  return { recorder, startRun, commit, commits, timeOut, told, fenced, refused };
}

test('what gathers while one commit is under way is the next, one row for each run', async () => {
  const { startRun, commit, commits, told } = startRecorder();
  const [one, two] = [startRun(), startRun()];
  one.say('a');
  const first = await commit(1);
  one.say('b');
  two.say('x');
  one.say('c');
  expect(first.rows).toEqual([[one.id, 0, 2]]);
  expect(told).toEqual([]); // nobody is ahead of the log
  first.answer.resolve(true);
  const second = await commit(2);
  expect(told).toHaveLength(3);
  expect(second.rows).toEqual([
    [one.id, 3, 4],
    [two.id, 0, 2],
  ]);
  second.answer.resolve(true);
  await expect.poll(() => told.length).toBe(8);
  expect(commits).toHaveLength(2);
});

test('a commit whose outcome is unknown is tried again as it was, and told once', async () => {
  const { startRun, commit, told } = startRecorder();
  const { id, say } = startRun();
  say('a');
  (await commit(1)).answer.reject(Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' }));
  say('b');
  const again = await commit(2);
  expect(again.rows).toEqual([[id, 0, 2]]);
  again.answer.resolve(true);
  const next = await commit(3);
  expect(next.rows).toEqual([[id, 3, 3]]);
  next.answer.resolve(true);
  await expect.poll(() => told.map(({ sequenceNumber }) => sequenceNumber)).toEqual([0, 1, 2, 3]);
});

test('a commit that does not answer in time is tried again as it was, and told once', async () => {
  const { startRun, commit, commits, timeOut, told } = startRecorder();
  const { id, say } = startRun();
  say('a');
  const silent = await commit(1);
  timeOut();
  const again = await commit(2);
  expect(again.rows).toEqual([[id, 0, 2]]);
  expect(told).toEqual([]);
  silent.answer.resolve(true); // too late to be heard
  say('b');
  again.answer.resolve(true);
  const next = await commit(3);
  expect(next.rows).toEqual([[id, 3, 3]]);
  next.answer.resolve(true);
  await expect.poll(() => told.map(({ sequenceNumber }) => sequenceNumber)).toEqual([0, 1, 2, 3]);
  expect(commits).toHaveLength(3);
});

test('a process declared dead tells nothing of what it could not commit', async () => {
  const { startRun, commit, told, fenced } = startRecorder();
  startRun().say('a');
  (await commit(1)).answer.resolve(false);
  await expect.poll(() => fenced).toEqual(['proc_1']);
  expect(told).toEqual([]);
});

test('events that the database refuses cost their own run only', async () => {
  const { startRun, commit, told, refused } = startRecorder();
  const [good, bad] = [startRun(), startRun()];
  startRun().say('first');
  const first = await commit(1);
  good.say('fine');
  bad.say('not fine');
  first.answer.resolve(true);
  const refusal = new postgres.PostgresError('invalid' as never);
  Object.assign(refusal, { code: '22021' });
  (await commit(2)).answer.reject(refusal);
  const alone = await commit(3);
  expect(alone.rows).toEqual([[good.id, 0, 2]]);
  alone.answer.resolve(true);
  (await commit(4)).answer.reject(refusal);
  await expect.poll(() => refused).toEqual([bad.run]);
  expect(told).toHaveLength(6);
});

test('a run with a megabyte waiting has no room until it is committed, and none is kept for a lost one', async () => {
  const { recorder, startRun, commit } = startRecorder();
  const [one, two] = [startRun(), startRun()];
  one.say('x'.repeat(1024 * 1024 + 1));
  two.say('y'.repeat(1024 * 1024 + 1));
  expect(recorder.room(startRun().run)).toBeNull();
  const [roomOfOne, roomOfTwo] = [recorder.room(one.run), recorder.room(two.run)];
  expect([roomOfOne, roomOfTwo]).toEqual([expect.any(Promise), expect.any(Promise)]);
  two.run.lose();
  (await commit(1)).answer.resolve(true);
  await Promise.all([roomOfOne, roomOfTwo]);
  expect(recorder.room(one.run)).toBeNull();
});
