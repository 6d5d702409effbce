import { describe, expect, test } from 'vitest';
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
