import { expect, test, vi } from 'vitest';
import { parseExpiry } from '../../src/keys/expiry.ts';
import { hashApiKey, looksLikeApiKey, newApiKey, newApiKeyId } from '../../src/protocol/api-keys.ts';
import { isTenant } from '../../src/protocol/scope.ts';
import { createKeyAuthenticator } from '../../src/server/auth/keys.ts';
import { openDatabase } from '../../src/store/database.ts';
import { createLogger } from '../../src/util/logger.ts';
import { ShortMemory } from '../../src/util/short-memory.ts';
import { createTestDatabase } from '../support/test-database.ts';

test('a key is known by its prefix and its checksum, whatever digit is changed', () => {
  const keys = Array.from({ length: 500 }, newApiKey);
  expect(new Set(keys).size).toBe(500);
  for (const key of keys) {
    expect(key).toMatch(/^rgk_[0-9A-Za-z]{49}$/);
    expect(looksLikeApiKey(key)).toBe(true);
  }
  const [key = ''] = keys;
  for (let place = 4; place < key.length; place++) {
    const digit = key[place] === 'a' ? 'b' : 'a';
    expect(looksLikeApiKey(key.slice(0, place) + digit + key.slice(place + 1))).toBe(false);
  }
  for (const none of ['', 'rgk_', key.slice(1), `${key} `, key.toUpperCase(), `rgk_${'0'.repeat(49)}`])
    expect(looksLikeApiKey(none)).toBe(false);
});

test('names of tenants are plain words', () => {
  for (const name of ['default', 'a', 'Owls-1', 'org_2.x', '9', 'a'.repeat(64)])
    expect(isTenant(name)).toBe(true);
  for (const name of ['', 'a b', '-a', '.', '../a', 'ä', 'a'.repeat(65), 'a\n', null, ['a'], 1])
    expect(isTenant(name)).toBe(false);
});

test.each([
  ['90m', '2030-01-01T01:30:00.000Z'],
  ['12h', '2030-01-01T12:00:00.000Z'],
  ['30d', '2030-01-31T00:00:00.000Z'],
  ['2030-02-01', '2030-02-01T00:00:00.000Z'],
  ['2030-02-01T10:00Z', '2030-02-01T10:00:00.000Z'],
  ['2030-02-01T10:00:00+02:00', '2030-02-01T08:00:00.000Z'],
])('a key that expires %s ends at %s', (text, time) => {
  expect(parseExpiry(text, new Date('2030-01-01'))?.toISOString()).toBe(time);
});

test.each([
  '',
  '0d',
  '-1d',
  '1.5h',
  '30',
  'd',
  '1y',
  '2029-12-31',
  '2030-01-01',
  '2030-13-01',
  'tomorrow',
  '1e3d',
])('a key cannot expire %j', (text) => {
  expect(parseExpiry(text, new Date('2030-01-01'))).toBeNull();
});

test('a short memory keeps the latest things, and each for a while', () => {
  vi.useFakeTimers();
  const memory = new ShortMemory<object>({ size: 2, forMs: 1000 });
  const [a, b, c] = [{}, {}, {}];
  memory.set('a', a);
  memory.set('b', b);
  memory.set('a', a);
  memory.set('c', c);
  expect([memory.get('a'), memory.get('b'), memory.get('c')]).toEqual([a, undefined, c]);
  vi.advanceTimersByTime(1001);
  expect(memory.get('a')).toBeUndefined();
  vi.useRealTimers();
});

test('whoever guesses thousands of keys costs a few queries, and a key that is known none', async () => {
  await using place = await createTestDatabase();
  const database = openDatabase(place.url);
  const times = { cacheMs: 60_000, recheckMs: 60_000, jwksCooldownMs: 0 };
  const authenticator = createKeyAuthenticator({ database, logger: createLogger('silent'), times });
  const key = newApiKey();
  await place.sql`insert into api_keys (id, name, tenant, hash) values (${newApiKeyId()}, 'a', 'owls', ${hashApiKey(key)})`;
  const queries = vi.spyOn(database, 'inTime');
  const ask = async (each: string) => authenticator.authenticate([`Bearer ${each}`]);
  const guesses = Array.from({ length: 6000 }, newApiKey);
  const answers = await Promise.allSettled([...guesses.map(ask), ask(key)]);
  const codes = answers.map((answer) => (answer.status === 'rejected' ? answer.reason.code : answer.status));
  expect(codes.filter((code) => code === 'UNAUTHENTICATED')).toHaveLength(5000);
  expect(codes.filter((code) => code === 'UNAVAILABLE')).toHaveLength(1001); // more than wait at once
  expect(queries.mock.calls.length).toBeLessThanOrEqual(12);
  queries.mockClear();
  await Promise.allSettled(guesses.slice(0, 4000).map(ask));
  expect(queries).not.toHaveBeenCalled();
  expect(await ask(key)).toMatchObject({ scope: { tenant: 'owls' } });
  expect(queries).toHaveBeenCalledTimes(1);
  await Promise.all(Array.from({ length: 100 }, () => ask(key)));
  expect(queries).toHaveBeenCalledTimes(1);
  authenticator.close();
  await database.close();
});
