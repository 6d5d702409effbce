import { expect, test } from 'vitest';
import { parseCommand } from '../../src/keys/command.ts';

const NOW = new Date('2030-01-01');

test.each([
  [['create'], /^create needs --name, as in npm run keys -- create --name laptop\. /],
  [['create', '--name', ' '], /^--name must be 1 to 100 visible characters/],
  [['create', '--name', 'a'.repeat(101)], /^--name must be/],
  [['create', '--name', 'a\u001b[2Jb'], /^--name must be/],
  [['create', '--name', 'a\nb'], /^--name must be/],
  [['create', '--name', 'a', '--tenant', 'a b'], /^--tenant must be up to 64 letters/],
  [['create', '--name', 'a', '--tenant', ''], /^--tenant must be/],
  [['create', '--name', 'a', '--tenant', '../x'], /^--tenant must be/],
  [['create', '--name', 'a', '--expires', '2020-01-01'], /^--expires must be a time to come/],
  [['create', '--name', 'a', '--expires', 'soon'], /^--expires must be/],
  [['create', '--name'], /^Option '--name <value>' argument missing/],
  [['create', '--nome', 'a'], /^Unknown option '--nome'/],
  [['create', 'a'], /^There is a word too many: "a"/],
  [['revoke'], /^revoke needs the id of a key/],
  [['revoke', 'a', 'b'], /^There is a word too many: "b"/],
  [['list', '--name', 'a'], /^list takes no options/],
  [['list', 'a'], /^There is a word too many: "a"/],
  [['delete'], /^There is no "delete"/],
  [['delete', 'a'], /^There is no "delete"/],
  [['crate', '--name', 'a'], /^There is no "crate"/],
  [['create', '--nome', 'a'], /^Unknown option '--nome'\. See npm run keys/],
])('%j is refused in one line that says what is wrong', (words, line) => {
  expect(() => parseCommand(words, NOW)).toThrow(line);
  expect(() => parseCommand(words, NOW)).not.toThrow(/\n/);
});

test('a key has a name, and may have a tenant and an end', () => {
  expect(parseCommand(['create', '--name', 'Große Eule 🦉'], NOW)).toEqual({
    kind: 'create',
    name: 'Große Eule 🦉',
    tenant: 'default',
    expiresAt: null,
  });
  expect(parseCommand(['create', '--name=ci', '--tenant=owls', '--expires=1d'], NOW)).toEqual({
    kind: 'create',
    name: 'ci',
    tenant: 'owls',
    expiresAt: new Date('2030-01-02'),
  });
});

test.each([[[]], [['--help']], [['-h']], [['help']], [['create', '--help']]])('%j asks for help', (words) => {
  expect(parseCommand(words, NOW)).toEqual({ kind: 'help' });
});
