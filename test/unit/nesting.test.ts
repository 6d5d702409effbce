import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { isTooNested } from '../../src/server/limits/nesting.ts';

const deep = '{'.repeat(300);

test.each([
  ['a string', `{ a(b: "${deep}") }`],
  ['a string with quotes', `{ a(b: "\\"${deep}\\\\") }`],
  ['a string of lines', `{ a(b: """ ${deep} \\""" ${deep} " "" ${deep} """) }`],
  ['an empty string, then a comment', `{ a(b: "") # ${deep}\n }`],
  ['a comment that ends with a carriage return', `{ a # ${deep}\r b }`],
])('what is in %s is no nesting', (_, document) => {
  expect(() => parse(document)).not.toThrow();
  expect(isTooNested(document)).toBe(false);
});

test.each([
  ['behind a string', `{ a(b: "x") ${deep}`],
  ['behind a comment', `# "\n${deep}`],
  ['behind a string that a line ends', `{ a(b: "x\n${deep}`],
  ['in lists', '['.repeat(201)],
  ['in all brackets', '{(['.repeat(67)],
])('what is nested %s is counted', (_, document) => {
  expect(isTooNested(document)).toBe(true);
});

test('up to the limit all is well, and what is closed does not count', () => {
  expect(isTooNested('{'.repeat(200))).toBe(false);
  expect(isTooNested('{}'.repeat(10_000))).toBe(false);
});

test.each([
  ['escaped quotes', '"\\"'],
  ['quotes', '"'],
  ['quotes in threes', '"""\\'],
  ['quotes and ends of lines', '"\n'],
  ['comments', '#"'],
])('millions of %s take no longer than as many letters', (_, unit) => {
  const begin = performance.now();
  isTooNested(`{"${unit.repeat(1_000_000)}`);
  expect(performance.now() - begin).toBeLessThan(3000);
});
