import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { readConfig } from '../../src/config.ts';
import { hangsAfter } from '../support/chat-server.ts';
import { startEverythingServer } from '../support/everything-server.ts';
import { ask } from '../support/graphql.ts';
import { startMcpServer } from '../support/mcp-server.ts';
import { blocks, README, ROOT } from '../support/readme.ts';
import { finds, startSearchServer } from '../support/search-server.ts';
import { startTestApp } from '../support/test-app.ts';

const DEMO = { config: { upstream: null, defaultModel: 'demo' } };

test('the first query of the README gives the answer that the README shows', async () => {
  await using app = await startTestApp(DEMO);
  const { createResponse: payload } = await ask(app, blocks('graphql')[0] ?? '');
  const shown = JSON.parse(blocks('json')[0] ?? '').data.createResponse;
  expect(payload).toEqual({ ...shown, response: { ...shown.response, id: payload.response.id } });
});

test('the function call of the README goes there and back', async () => {
  await using app = await startTestApp(DEMO);
  const [call = '', answer = ''] = (blocks('graphql')[1] ?? '').split(/(?=mutation Answer)/);
  const { response, errors } = (await ask(app, call)).createResponse;
  expect(errors).toEqual([]);
  const [{ callId, name }] = response.pendingItems;
  expect(name).toBe('get_weather');
  const second = (await ask(app, answer, { id: response.id, callId })).createResponse;
  expect(second).toEqual({ response: { outputText: 'get_weather answered: 18 °C, sunny' }, errors: [] });
});

test('the MCP call of the README is made, against the server that the README starts', async () => {
  await using app = await startTestApp(DEMO);
  await using everything = await startEverythingServer('streamable');
  expect(README).toContain('npx @modelcontextprotocol/server-everything streamableHttp');
  const query = (blocks('graphql')[2] ?? '').replace('http://127.0.0.1:3001/mcp', everything.url);
  const { response, errors } = (await ask(app, query)).createResponse;
  expect(errors).toEqual([]);
  expect(response.outputText).toBe('echo answered: Echo: Hi');
  expect(response.output).toMatchObject([
    { error: null },
    { name: 'echo', arguments: '{"message": "Hi"}', output: 'Echo: Hi', error: null },
    {},
  ]);
});

test('the approval of the README makes the call that waits for it', async () => {
  await using app = await startTestApp(DEMO);
  await using server = await startMcpServer({ tools: { echo: { run: () => 'once' } } });
  const tools = [{ mcp: { serverLabel: 'server', serverUrl: server.url } }];
  const query = `mutation ($tools: [ToolInput!]) {
    createResponse(input: { input: { text: "call echo" }, tools: $tools }) {
      response { id pendingItems { id } }
    }
  }`;
  const { id, pendingItems } = (await ask(app, query, { tools })).createResponse.response;
  const approve = await ask(app, blocks('graphql')[3] ?? '', { id, request: pendingItems[0].id, tools });
  expect(approve.createResponse).toEqual({
    response: { outputText: 'echo answered: once', output: [{ name: 'echo', output: 'once' }, {}] },
    errors: [],
  });
});

test('the web search of the README finds and cites', async () => {
  await using search = await startSearchServer();
  const webSearch = { provider: 'searxng', baseUrl: search.baseUrl } as const;
  await using app = await startTestApp({ config: { ...DEMO.config, webSearch } });
  search.enqueue(finds({ url: 'https://graphql.org/learn', title: 'Learn' }));
  const { response, errors } = (await ask(app, blocks('graphql')[4] ?? '')).createResponse;
  expect(errors).toEqual([]);
  expect(response.output).toMatchObject([
    { query: 'GraphQL subscriptions', sources: [{ title: 'Learn', url: 'https://graphql.org/learn' }] },
    { content: [{ annotations: [{ url: 'https://graphql.org/learn' }] }] },
  ]);
});

test('the background run of the README is queued, once for its key, and can be cancelled', async () => {
  await using app = await startTestApp({ config: { defaultModel: 'test-model' } });
  app.upstream.enqueue(hangsAfter('Well'));
  const [research = '', stop = ''] = (blocks('graphql')[5] ?? '').split(/(?=mutation Stop)/);
  const { response, errors } = (await ask(app, research)).createResponse;
  expect(errors).toEqual([]);
  expect(response.status).toBe('QUEUED');
  await app.upstream.received(1);
  expect((await ask(app, research)).createResponse.response.id).toBe(response.id);
  expect((await ask(app, stop, { id: response.id })).cancelResponse).toMatchObject({
    response: { status: 'CANCELLED' },
    errors: [],
  });
});

test('the configuration table names every key and its default', () => {
  const table = [...README.matchAll(/^\| (`[A-Z_`, ]+) \| (.*?) \|/gm)].flatMap(
    ([, keys = '', defaults = '']) => {
      const values = defaults.split(', ');
      return [...keys.matchAll(/`([A-Z_]+)`/g)].map(([, key = ''], at) => [key, values[at] ?? defaults]);
    },
  );
  const parts = readdirSync(join(ROOT, 'src/config')).map((name) => join('src/config', name));
  const sources = ['src/config.ts', ...parts].map((path) => readFileSync(join(ROOT, path), 'utf8'));
  const keys = [...sources.join('\n').matchAll(/^ {2}([A-Z_]+): /gm)].map(([, key]) => key);
  expect(table.map(([key]) => key).sort()).toEqual(keys.sort());
  const shown = Object.fromEntries(table);
  const config = readConfig({});
  const { keyLimits } = readConfig({ AUTH: 'keys' });
  expect(shown).toMatchObject({
    HOST: `\`${config.host}\``,
    PORT: `\`${config.port}\``,
    DATA_DIR: `\`${config.dataDir}\``,
    MODEL_IDLE_TIMEOUT_MS: `\`${config.modelIdleTimeoutMs}\``,
    MAX_ROUNDS: `\`${config.maxRounds}\``,
    TOOL_TIMEOUT_MS: `\`${config.toolTimeoutMs}\``,
    MCP_ALLOW_PRIVATE: `\`${config.allowPrivate}\``,
    LOG_LEVEL: `\`${config.logLevel}\``,
    GET_QUERIES: `\`${config.front.getQueries}\``,
    MAX_TOKENS: `\`${config.limits.document.maxTokens}\``,
    MAX_DEPTH: `\`${config.limits.document.maxDepth}\``,
    MAX_ALIASES: `\`${config.limits.document.maxAliases}\``,
    MAX_DIRECTIVES: `\`${config.limits.document.maxDirectives}\``,
    MAX_REPEATS: `\`${config.limits.document.maxRepeats}\``,
    MAX_OPERATIONS: `\`${config.limits.document.maxOperations}\``,
    MAX_COST: `\`${config.limits.document.maxCost}\``,
    MAX_BODY_BYTES: `\`${config.limits.maxBodyBytes}\` each`,
    REQUEST_TIMEOUT_MS: `\`${config.limits.requestTimeoutMs}\``,
    INIT_TIMEOUT_MS: `\`${config.limits.initTimeoutMs}\``,
    MAX_SUBSCRIPTIONS_PER_CONNECTION: `\`${config.limits.maxSubscriptions}\``,
    MAX_CONNECTIONS: `\`${config.limits.maxConnections}\``,
    AUTH: `\`${config.auth.mode}\``,
    MAX_CONNECTIONS_PER_KEY: `\`${keyLimits.connections}\``,
    MAX_SUBSCRIPTIONS_PER_KEY: `\`${keyLimits.subscriptions}\``,
    MAX_RUNS_PER_KEY: `\`${keyLimits.runs}\``,
    MAX_RUNS_PER_MINUTE: `\`${keyLimits.runsPerMinute}\``,
  });
});

test('a supervisor is told to run what npm runs', () => {
  expect(README).toContain(`\`node_modules/.bin/${manifest.scripts.start}\``);
});
