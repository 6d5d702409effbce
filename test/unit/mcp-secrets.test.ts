import { describe, expect, test } from 'vitest';
import { createSecretGuard } from '../../src/tools/mcp/secrets.ts';
import { text, tool } from '../support/mcp-answers.ts';
import { failureOf, startMcpRun } from '../support/mcp-run.ts';
import { startMcpServer } from '../support/mcp-server.ts';

const TOKEN = 'sk-live-0123456789';

describe('secrets', () => {
  const secret = { authorization: TOKEN, headers: { 'x-key': 'key-9876543', 'x-short': 'true' } };

  test('a server that repeats the token in its refusal does not spread it', async () => {
    await using server = await startMcpServer({ token: 'another' });
    await using run = startMcpRun(server, secret);
    const failure = await failureOf(run.connect());
    expect(failure).toMatchObject({
      type: 'http',
      code: 401,
      message: 'The server answered with HTTP 401: Not the right token: [redacted]',
    });
    expect(String(failure.cause)).not.toContain(TOKEN);
  });

  test.each([
    ['in a result', tool(() => `You sent ${TOKEN} and key-9876543, true.`)],
    [
      'in structured content',
      tool(() => ({ structuredContent: { [TOKEN]: [{ deep: `Bearer ${TOKEN}` }] } })),
    ],
  ])('they are replaced %s', async (_, echoing) => {
    await using server = await startMcpServer({ tools: { echoing } });
    await using run = startMcpRun(server, secret);
    const said = JSON.stringify(await run.call('echoing'));
    expect(said).toContain('[redacted]');
    expect(said).not.toMatch(/0123456789|9876543/);
  });

  test('short values are left, as they are words of everybody', async () => {
    await using server = await startMcpServer({ tools: { say: tool(() => 'true') } });
    await using run = startMcpRun(server, secret);
    expect(await run.call('say')).toEqual(text('true'));
  });

  test.each([
    ['an error of a tool', tool(() => ({ content: [{ type: 'text', text: TOKEN }], isError: true }))],
    [
      'an error of the protocol',
      tool(() => {
        throw new Error(`Refused: Bearer ${TOKEN}`);
      }),
    ],
  ])('they are replaced in %s', async (_, failing) => {
    await using server = await startMcpServer({ tools: { failing } });
    await using run = startMcpRun(server, secret);
    const failure = await failureOf(run.call('failing'));
    expect(failure.message).toContain('[redacted]');
    expect(`${failure.stack}${String(failure.cause)}`).not.toContain(TOKEN);
  });

  test('they are replaced in a listing, but a cursor goes back as it came', async () => {
    const list = (cursor?: string) =>
      cursor === undefined
        ? { tools: [{ name: 'a', description: TOKEN, inputSchema: { default: TOKEN } }], nextCursor: TOKEN }
        : { tools: [{ name: 'b', annotations: { [TOKEN]: cursor === TOKEN } }] };
    await using server = await startMcpServer({ list });
    await using run = startMcpRun(server, secret);
    expect(await run.list()).toEqual([
      { name: 'a', description: '[redacted]', inputSchema: { default: '[redacted]' }, annotations: null },
      { name: 'b', description: null, inputSchema: { type: 'object' }, annotations: { '[redacted]': true } },
    ]);
  });

  test('a header that cannot be sent is not quoted', async () => {
    await using server = await startMcpServer();
    await using run = startMcpRun(server, { headers: { 'x-key': 'short\n' + 'x' } });
    const failure = await failureOf(run.connect());
    expect(failure).toMatchObject({ type: 'http', message: expect.stringContaining('malformed') });
    expect(`${failure.stack}`).not.toContain('short\n');
  });

  test.each([
    ['Basic dXNlcjpwYXNzd29yZA==', 'Basic dXNlcjpwYXNzd29yZA=='],
    ['abc', 'Bearer abc'],
    [' abc ', 'Bearer abc'],
    ['Bearer abc', 'Bearer abc'],
  ])('the authorization "%s" is sent as "%s"', async (authorization, sent) => {
    await using server = await startMcpServer();
    await using run = startMcpRun(server, { authorization });
    await run.connect();
    expect(server.requests[0]?.headers.authorization).toBe(sent);
  });
});

describe('what a secret is recognised by:', () => {
  const guardOf = (authorization: string | null, headers: { readonly [name: string]: string } = {}) =>
    createSecretGuard({ authorization, headers });
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const TRICKY = 'p/ss"wörd+?\\~';

  test.each([
    ['itself', TRICKY],
    ['other letters', TRICKY.toUpperCase()],
    ['a part of a URL', encodeURIComponent(TRICKY)],
    ['a part of a URL, in lower case', encodeURIComponent(TRICKY).toLowerCase()],
    ['a part of JSON', JSON.stringify(TRICKY).slice(1, -1)],
    ['base64', base64(TRICKY)],
    ['base64 of a URL', Buffer.from(TRICKY).toString('base64url')],
  ])('%s', (_, form) => {
    for (const guard of [guardOf(TRICKY), guardOf(null, { 'x-key': TRICKY })]) {
      expect(guard.redact(`<${form}>`)).toMatch(/^<\[redacted\]=*>$/);
    }
  });

  test.each(['Basic', 'basic'])('the login that %s credentials hold, and its password', (scheme) => {
    const guard = guardOf(`${scheme} ${base64('me:pa:ss')}`);
    expect(guard.redact(`me:pa:ss, pa:ss, ${base64('pa:ss')} of me`)).toBe(
      '[redacted], [redacted], [redacted]= of me',
    );
  });

  test('a number, though parsing has rounded it', () => {
    const guard = guardOf('12345678901234567890', {
      'x-pin': '471147',
      'x-zero': '000001',
      'x-part': '1234.5',
    });
    const answer = JSON.parse('[12345678901234567890, 471147, 1234.5, 471148, 1, "471147", true]');
    const hidden = '[redacted]';
    expect(guard.redactJson(answer)).toEqual([hidden, hidden, hidden, 471148, 1, hidden, true]);
  });

  test('4 characters of a token, 6 of a header', () => {
    const guard = guardOf('Bearer abc1', { 'x-long': 'abcde6', 'x-short': 'abcd5' });
    expect(guard.redact('abc1 abcde6 abcd5')).toBe('[redacted] [redacted] abcd5');
    expect(guardOf('xyz').redact('xyz')).toBe('xyz');
  });

  test('the whole before its parts, with whatever signs expressions have', () => {
    const guard = guardOf('.*+?^$()[]{}|\\/', { 'x-long': 'a.*+?^$()[]{}|\\/b' });
    expect(guard.redact('a.*+?^$()[]{}|\\/b .*+?^$()[]{}|\\/ anything')).toBe(
      '[redacted] [redacted] anything',
    );
  });

  test('its beginning, if it is long and was cut', () => {
    const token = Array.from({ length: 500 }, (_, index) => index).join('-');
    const guard = guardOf(token);
    expect(guard.redact(`${token}!`)).toBe('[redacted]!');
    expect(guard.redact(`${token.slice(0, 100)}... and ${token.slice(0, 20)}`)).toBe(
      `[redacted]... and ${token.slice(0, 20)}`,
    );
  });
});

describe('64 headers cost no more time than one that is as long:', () => {
  /** The least of three times, in milliseconds of CPU: not by the clock, as other tests run beside this one. */
  const timeOf = (values: readonly string[], answer: readonly string[]) => {
    const headers = Object.fromEntries(values.map((value, index) => [`x-${index}`, value]));
    const times = Array.from({ length: 3 }, () => {
      const start = process.threadCpuUsage();
      createSecretGuard({ authorization: null, headers }).redactJson(answer);
      const { user, system } = process.threadCpuUsage(start);
      return (user + system) / 1000;
    });
    return Math.min(...times);
  };

  test.each([
    ['a list of many words', (index: number) => `secret-number-${index}`, Array(100_000).fill('some words')],
    ['headers of 100,000 characters', (index: number) => `${index}`.repeat(50_000), ['0'.repeat(100_000)]],
    [
      'a text that is almost a secret',
      (index: number) => `${'a'.repeat(5000)}${index}`,
      ['a'.repeat(1_000_000)],
    ],
  ])('%s', (_, value, answer) => {
    const values = Array.from({ length: 64 }, (_, index) => value(index));
    const one = timeOf([values.join('')], answer);
    expect(timeOf(values, answer)).toBeLessThan(3 * one + 30);
  });
});
