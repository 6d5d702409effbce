import { expect, test, vi } from 'vitest';
import { calls, json, startChatServer } from '../support/chat-server.ts';
import { create, createResponse, readResponse } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { createDataFolder } from '../support/server-process.ts';
import { collect, follow } from '../support/stream.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { answer, call, mcp, mcpAsking } from '../support/tools.ts';

vi.setConfig({ testTimeout: 90_000 });

const input = { text: 'Hi' };
const never = () => new Promise<string>(() => {});

test.concurrent('killed between the start of a call and its result, nobody makes the call again', async () => {
  await using upstream = await startChatServer();
  await using folder = await createDataFolder();
  await using server = await startMcpServer({ tools: { pay: { run: never }, refund: { run: never } } });
  const environment = {
    OPENAI_BASE_URL: upstream.baseUrl,
    DEFAULT_MODEL: 'test-model',
    MCP_ALLOW_PRIVATE: 'true',
  };
  const first = await folder.run(environment);
  upstream.enqueue(calls([call('refund')]), calls([call('pay', { to: 'Ada' })]));
  const asking = { input, tools: [mcpAsking('bank', server)] };
  const asked = await createResponse(first, asking);
  const request = asked.output[1].id;
  const approve = { previousResponseId: asked.id, input: { items: [answer(request, true)] } };
  const { id: approved } = await createResponse(first, { ...asking, ...approve, stream: true });
  const paying = await createResponse(first, { input, tools: [mcp('bank', server)], stream: true });
  await server.called(2);
  // What the followers were told is committed: the mark of a call that has started is among it.
  for (const id of [approved, paying.id]) {
    for await (const event of follow(first, { id }))
      if (event.__typename === 'McpCallArgumentsDoneEvent') break;
    const { output } = await readResponse(first, id);
    expect(output.at(-1)).toMatchObject({ __typename: 'McpCall', status: 'CALLING' });
  }
  first.child.kill('SIGKILL');
  await first.ended;

  const second = await folder.run(environment);
  for (const id of [approved, paying.id]) {
    const failed = await readResponse(second, id);
    expect(failed).toMatchObject({ status: 'FAILED', error: { code: 'server_error' } });
    expect(failed.output.at(-1)).toMatchObject({ __typename: 'McpCall', status: 'INCOMPLETE', error: null });
    expect((await collect(second, { id })).at(-1)?.['response']).toEqual(failed);
    // Continued, the call is neither made nor told.
    const before = upstream.exchanges.length;
    await createResponse(second, { previousResponseId: id, input: { text: 'And?' } });
    expect(upstream.exchanges).toHaveLength(before + 1);
  }
  const again = await create(second, { ...asking, ...approve });
  expect(again.errors).toMatchObject([{ code: 'APPROVAL_ALREADY_ANSWERED' }]);
  expect(server.calls.map(({ name }) => name).sort()).toEqual(['pay', 'refund']);
});

test.concurrent('the secrets of a server are found nowhere: not in the database, the log, errors, events or answers', async () => {
  const SECRET = 'a-very-secret-token-4711';
  const KEY = 'a-very-secret-header-0815';
  await using upstream = await startChatServer();
  await using database = await createTestDatabase();
  await using folder = await createDataFolder();
  const seen: string[] = [];
  const tell = { run: () => `You sent ${seen.at(-1)} and ${KEY}.` };
  await using chatty = await startMcpServer({
    tools: {
      tell,
      fail: { run: () => ({ isError: true, content: [{ type: 'text', text: `No: ${SECRET}` }] }) },
    },
    intercept: ({ headers }) => {
      seen.push(String(headers.authorization));
      expect([headers.authorization, headers['x-key']]).toEqual([`Bearer ${SECRET}`, KEY]);
      return false;
    },
  });
  await using refusing = await startMcpServer({ token: 'another' });
  await using wandering = await startMcpServer({
    intercept: (_, response) => {
      response.writeHead(307, { location: `${refusing.url}?from=wandering` }).end();
      return true;
    },
  });
  const server = await folder.run({
    OPENAI_BASE_URL: upstream.baseUrl,
    DEFAULT_MODEL: 'test-model',
    MCP_ALLOW_PRIVATE: 'true',
    DATABASE_URL: database.url,
    LOG_LEVEL: 'trace',
  });
  const secrets = { authorization: SECRET, headers: { 'X-Key': KEY } };
  const tools = [
    mcp('chatty', chatty, secrets),
    mcp('refusing', refusing, secrets),
    mcp('wandering', wandering, { authorization: SECRET }),
  ];
  const told: unknown[] = [];
  upstream.enqueue(
    calls([call('tell'), call('fail'), call('nope')]),
    json(400, { error: { message: 'No.' } }),
  );
  const { id } = await createResponse(server, { input, tools, stream: true, idempotencyKey: 'once' });
  const events = await collect(server, { id });
  expect(events.at(-1)?.['response'].output).toMatchObject([
    { serverLabel: 'chatty', status: 'COMPLETED' },
    { serverLabel: 'refusing', status: 'FAILED', error: { type: 'HTTP', code: 401 } },
    { serverLabel: 'wandering', status: 'FAILED' },
    { name: 'tell', output: 'You sent [redacted] and [redacted].' },
    { name: 'fail', error: { message: 'No: [redacted]' } },
    { __typename: 'FunctionCall' },
    { __typename: 'FunctionCallOutput' },
  ]);
  told.push(events, await readResponse(server, id));
  told.push(await create(server, { input, tools: [...tools, ...tools], temperature: 9 }));
  told.push(
    await create(server, { input, tools: [mcp('x', chatty, { ...secrets, headers: { Host: KEY } })] }),
  );
  // Neither the secret nor the outcome of hashing it decides whether two requests are the same.
  const renewed = [mcp('chatty', chatty, { ...secrets, authorization: 'renewed-token' }), ...tools.slice(1)];
  const joined = await create(server, { input, tools: renewed, stream: true, idempotencyKey: 'once' });
  expect(joined).toMatchObject({ response: { id }, errors: [] });

  const tables = await database.sql<{ name: string }[]>`
    select table_name as name from information_schema.tables where table_schema = 'public'`;
  for (const { name } of tables) told.push(await database.sql`select * from ${database.sql(name)}`);
  expect(tables.length).toBeGreaterThan(4);
  told.push(upstream.exchanges.map(({ body }) => body));
  server.child.kill('SIGTERM');
  const { err } = await server.ended;
  expect(err).toContain('"level"');
  for (const text of [JSON.stringify(told), err]) {
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(KEY);
  }
  // The one that wandered off to another server took no secret along.
  const foreign = refusing.requests.filter(({ path }) => path.includes('from=wandering'));
  expect(foreign.length).toBeGreaterThan(0);
  for (const { headers } of foreign) expect(headers.authorization).toBeUndefined();
});
