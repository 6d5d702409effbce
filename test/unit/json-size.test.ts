import { expect, test } from 'vitest';
import { isTooMuchJson } from '../../src/server/limits/json-size.ts';

test.each([
  ['a million values', `[${'1,'.repeat(999_998)}1]`],
  ['250,000 levels', '['.repeat(250_000) + ']'.repeat(250_000)],
  ['many lists beside each other', `[${'[],'.repeat(400_000)}[]]`],
  ['brackets and commas in strings', `["${'[,'.repeat(1_000_000)}","\\"${'[,'.repeat(1_000_000)}\\\\"]`],
])('%s may be read', (_, text) => {
  expect(() => JSON.parse(text)).not.toThrow();
  expect(isTooMuchJson(text)).toBe(false);
});

test.each([
  ['more values', `[${'1,'.repeat(1_000_000)}1]`],
  ['more levels', '['.repeat(250_001)],
  ['objects in a list', `[${'{},'.repeat(600_000)}{}]`],
  ['lists behind a string', `["\\\\",${'['.repeat(250_001)}`],
])('%s may not', (_, text) => {
  expect(isTooMuchJson(text)).toBe(true);
});

test.each([['a string that nothing closes', `["${'\\"'.repeat(1000)}`]])('%s ends', (_, text) => {
  expect(isTooMuchJson(text)).toBe(false);
});
