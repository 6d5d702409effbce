import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { secretsOf } from '../../src/config/secrets.ts';
import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/util/logger.ts';
import { createRedactor, REDACTED } from '../../src/util/redaction.ts';
import { keepSecret, secretsOfUrl, withoutSecrets } from '../../src/util/secrets.ts';

const SECRET = 'p/ss"wörd+?\\~ of this test';
keepSecret(SECRET);

/** What a logger that tells everything writes for this. */
function logged(what: object): string {
  const lines: string[] = [];
  createLogger('trace', { write: (line) => void lines.push(line) }).info(what, 'it happened');
  return lines.join('');
}

describe('a secret of this process is replaced in every log line', () => {
  const cause = Object.assign(new Error(`caused by ${SECRET}`), { code: 'ECONNREFUSED' });
  const deep = new Error('outer', { cause: new Error('middle', { cause }) });
  test.each<[string, object]>([
    ['in a field', { field: `so ${SECRET} it is` }],
    ['deep in objects and lists', { a: [{ b: { c: [SECRET] } }] }],
    ['as a key', { [SECRET]: 1 }],
    ['in JSON within JSON', { body: JSON.stringify({ key: SECRET }) }],
    ['in the address of something', { address: `https://x.example/?key=${encodeURIComponent(SECRET)}` }],
    ['in a form', { form: new URLSearchParams({ key: SECRET }).toString() }],
    ['in the message of an error', { error: new Error(`No ${SECRET}`) }],
    ['in the causes of an error', { error: deep }],
    ['in the parts of an error', { error: new AggregateError([deep, deep], 'all failed') }],
    ...[0, 1, 2, 3].map((before): [string, object] => [
      `in base64 behind ${before} bytes`,
      { text: Buffer.from(`${'x'.repeat(before)}${SECRET}:more`).toString('base64') },
    ]),
    ['in base64 of an address', { text: Buffer.from(SECRET).toString('base64url') }],
  ])('%s', (_, what) => {
    const line = logged(what);
    expect(line).toContain('it happened');
    expect(line).toContain(REDACTED);
    for (const part of [
      'p/ss',
      'wörd',
      'of this test',
      'of%20this',
      'of+this',
      'b2YgdGhpcyB0',
      'ZiB0aGlzIHRl',
    ])
      expect(line).not.toContain(part);
  });

  test('and one cut in the middle of it by the length of a message', () => {
    const line = logged({ error: new Error(`${'x'.repeat(1990)}${SECRET}`) });
    expect(line).not.toContain('p/ss');
  });
});

test('of an error a log keeps what happened where, and nothing that clients hang on theirs', () => {
  const request = { headers: { authorization: 'Token 0123456789' }, body: 'the prompt' };
  const error = Object.assign(new Error('It failed.'), {
    ...{
      request,
      response: request,
      options: request,
      command: { name: 'auth', args: ['user', 'pass-word'] },
    },
    ...{ code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port: 5432 },
  });
  const line = logged({ error });
  expect(JSON.parse(line).error).toEqual({
    ...{ type: 'Error', message: 'It failed.', stack: expect.stringContaining('secrets.test.ts') },
    ...{ code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port: 5432 },
  });
  expect(logged({ error: request })).not.toMatch(/0123456789|the prompt/); // thrown, but no error
});

test('an error of a query that caused another one shows no parameter either', () => {
  const query = Object.assign(new Error('Failed query: select $1 params: my prompt'), {
    query: 'select $1',
    params: ['my prompt'],
  });
  const line = logged({ error: new Error('It failed.', { cause: query }) });
  expect(line).toContain('select $1');
  expect(line).not.toContain('my prompt');
});

test('places of secrets are left out, and so is what looks like a secret of anybody', () => {
  const token = randomBytes(20).toString('hex');
  const what = {
    ...{ headers: { 'x-any': token }, connectionParams: { any: token }, request: { authorization: token } },
    ...{ a: `Bearer ${token}`, b: `postgres://user:${token}@host/db`, c: `sk-proj-${token}` },
    d: `eyJhbGciOiJIUzI1NiJ9.${token}.${token}`,
  };
  const line = logged(what);
  expect(line).not.toContain(token.slice(0, 8));
  expect(line).toContain('@host/db');
});

test('short values are words, and stay', () => {
  keepSecret('', 'a', 'ollama');
  expect(withoutSecrets('a model of ollama')).toBe('a model of ollama');
});

test('a text without secrets stays as it is, and quickly, however long', () => {
  const redact = createRedactor(Array.from({ length: 20 }, () => randomBytes(24).toString('base64')));
  const text = 'The quick brown fox. '.repeat(10_000);
  const begin = performance.now();
  expect(withoutSecrets(redact(text))).toBe(text);
  expect(performance.now() - begin).toBeLessThan(1000);
});

test.each(['eyJ-', 'http://a', 'Bearer ', 'sk-a.', 'eyJaaaaaaaa.'])(
  'nor does "%s" over and over take long',
  (unit) => {
    const begin = performance.now();
    withoutSecrets(unit.repeat(50_000));
    expect(performance.now() - begin).toBeLessThan(4000);
  },
);

test.each([
  ['postgres://user:p%40ss@host/db?sslmode=require', ['user:p@ss', 'p%40ss', 'p@ss']],
  ['postgres://postgres:postgres@host/db', ['postgres:postgres']],
  ['redis://:word@host', [':word', 'word', 'word']],
  ['https://token@host/v1?api-version=1&sig=abc', ['token', 'abc']],
  ['https://host/v1', []],
])('of %s the secrets are %j', (address, secrets) => {
  expect(secretsOfUrl(address)).toEqual(secrets);
});

test('every secret of a configuration is known, whatever it belongs to', () => {
  const environment = {
    OPENAI_API_KEY: 'canary-model',
    OPENAI_BASE_URL: 'https://a:canary-base@host/v1?key=canary-query',
    DATABASE_URL: 'postgres://u:canary-database@host/db',
    REDIS_URL: 'redis://u:canary-redis@host',
    AUTH: 'jwt',
    JWT_JWKS_URL: 'https://u:canary-jwks@host/keys?key=canary-parameter',
    JWT_ISSUER: 'issuer',
    JWT_AUDIENCE: 'audience',
  };
  const all = [{ BRAVE_API_KEY: 'canary-brave' }, { TAVILY_API_KEY: 'canary-tavily' }].flatMap((search) =>
    secretsOf(readConfig({ ...environment, ...search })),
  );
  const searxng = secretsOf(readConfig({ ...environment, SEARXNG_URL: 'http://u:canary-searxng@host' }));
  const names = ['model', 'base', 'query', 'database', 'redis', 'brave', 'tavily', 'jwks', 'parameter'].map(
    (name) => `canary-${name}`,
  );
  expect(all).toEqual(expect.arrayContaining(names));
  expect(searxng).toContain('canary-searxng');
});

test.each(['DATABASE_URL', 'REDIS_URL'])(
  'a password in %s that no client can decode stops the start, unseen',
  (key) => {
    const address = `${key === 'REDIS_URL' ? 'redis' : 'postgres'}://user:half%zz-canary@host/db`;
    const read = () => readConfig({ [key]: address });
    expect(read).toThrow(key);
    expect(read).not.toThrow('canary');
  },
);
