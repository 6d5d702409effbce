import { expect, test } from 'vitest';
import { asResponseId, newResponseId } from '../../src/protocol/ids.ts';
import { GatheredWakeUps, MAX_MESSAGE_BYTES, readWakeUps } from '../../src/store/wake-ups/messages.ts';
import type { WakeUp } from '../../src/store/wake-ups.ts';
import { cancel, logged, work } from '../support/wake-ups.ts';

const HEX = '0123456789abcdef0123456789abcdef';

const gather = (...wakeUps: readonly WakeUp[]) => {
  const gathered = new GatheredWakeUps();
  for (const wakeUp of wakeUps) gathered.add(wakeUp);
  return gathered;
};
const read = (messages: readonly string[]) => messages.flatMap((message) => readWakeUps(message, 'other'));

test('what was gathered is read elsewhere, and taken once', () => {
  const [a, b, c] = [logged(0), logged(Number.MAX_SAFE_INTEGER - 8_007_199_254_740_992), cancel()];
  const gathered = gather(a, b, c, work);
  expect(gathered.isEmpty).toBe(false);
  const messages = gathered.take('me');
  expect(messages).toHaveLength(1);
  expect(read(messages)).toEqual([work, c, a, b]);
  expect(gathered.isEmpty).toBe(true);
  expect(gathered.take('me')).toEqual([]);
});

test('a later number of a response replaces the earlier one; a cancellation stands beside it', () => {
  const responseId = newResponseId();
  const wakeUps: readonly WakeUp[] = [
    { type: 'logged', responseId, last: 3 },
    { type: 'cancel', responseId },
    { type: 'logged', responseId, last: 7 },
    { type: 'cancel', responseId },
    work,
    work,
  ];
  expect(read(gather(...wakeUps).take('me'))).toEqual([work, wakeUps[1], wakeUps[2]]);
});

test('nobody reads their own messages', () => {
  const [message = ''] = gather(work).take('me');
  expect(readWakeUps(message, 'me')).toEqual([]);
  expect(readWakeUps(message, 'm')).toEqual([work]);
});

test('many wake-ups become several messages, none longer than Postgres takes', () => {
  const long = asResponseId(`resp_${HEX}${HEX}`);
  if (long === null) throw new Error('no id');
  const wakeUps = [...Array.from({ length: 4_999 }, (_, last) => logged(last)), logged(1e14)];
  const messages = gather({ type: 'cancel', responseId: long }, ...wakeUps).take('me');
  expect(messages.length).toBeGreaterThan(20);
  for (const message of messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  expect(read(messages)).toEqual([{ type: 'cancel', responseId: long }, ...wakeUps]);
});

test('of more than 5,000 responses the oldest are left out', () => {
  const wakeUps = Array.from({ length: 5_010 }, (_, last) => logged(last));
  const cancellations = Array.from({ length: 5_010 }, cancel);
  const left = read(gather(...wakeUps, ...cancellations).take('me'));
  expect(left).toEqual([...cancellations.slice(10), ...wakeUps.slice(10)]);
});

test.each([
  '',
  ' ',
  '1',
  '1 ',
  '1 them',
  'hello',
  '{"type":"work"}',
  'w',
  '2 them w',
  '11 them w',
  '1 them W',
  '1 them ww',
  '1 them w\n',
  '1 them l',
  `1 them l${HEX}`,
  `1 them l${HEX}:`,
  `1 them l${HEX}:-1`,
  `1 them l${HEX}:1.5`,
  `1 them l${HEX}:9999999999999999`,
  `1 them l${HEX.toUpperCase()}:1`,
  `1 them l${HEX.slice(1)}:1`,
  `1 them l${HEX}${HEX}0:1`,
  `1 them c${HEX}:1`,
  `1 them cresp_${HEX}`,
  '1 them __proto__ constructor',
  '1 them \ud800',
])('a message that is none says nothing (%j)', (message) => {
  expect(readWakeUps(message, 'me')).toEqual([]);
});

test('a message that is too long says nothing', () => {
  expect(readWakeUps(`1 them${' w'.repeat(3_996)}`, 'me')).toHaveLength(3_996);
  expect(readWakeUps(`1 them${' w'.repeat(3_997)}`, 'me')).toEqual([]);
});

test('of a message with words of a later time the known ones are read', () => {
  expect(readWakeUps(`1 them x1 w  c${HEX} y`, 'me')).toEqual([
    work,
    { type: 'cancel', responseId: `resp_${HEX}` },
  ]);
});
