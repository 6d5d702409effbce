import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { withoutTokens } from '../../src/util/redaction.ts';

const RANGE = 'a whole number from 0 to 65535';

test.each([
  ['PORT', 'http', `PORT cannot be "http": it must be ${RANGE}.`],
  ['PORT', '70000', `PORT cannot be "70000": it must be ${RANGE}.`],
  ['PORT', '1.5', `PORT cannot be "1.5": it must be ${RANGE}.`],
  ['MAX_ROUNDS', '0', 'MAX_ROUNDS cannot be "0": it must be a whole number from 1 to 1000000000.'],
  [
    'MODEL_IDLE_TIMEOUT_MS',
    'soon',
    /^MODEL_IDLE_TIMEOUT_MS cannot be "soon": it must be a whole number from 1 /,
  ],
  [
    'TOOL_TIMEOUT_MS',
    '0',
    /^TOOL_TIMEOUT_MS cannot be "0": it must be a whole number from 1 .* milliseconds\.$/,
  ],
  ['MCP_ALLOW_PRIVATE', 'yes', 'MCP_ALLOW_PRIVATE cannot be "yes": it must be true or false.'],
  ['CORS_ORIGINS', '*', /^CORS_ORIGINS cannot be "\*": it must be origins separated by commas/],
  ['CORS_ORIGINS', 'https://a.example,https://b.example/path', /^CORS_ORIGINS cannot be /],
  ['CORS_ORIGINS', 'null', /^CORS_ORIGINS cannot be /],
  ['GRAPHIQL', '1', 'GRAPHIQL cannot be "1": it must be true or false.'],
  ['PERSISTED_OPERATIONS_ONLY', 'true', /^PERSISTED_OPERATIONS_ONLY=true needs PERSISTED_OPERATIONS: /],
  ['MAX_TOKENS', '0', /^MAX_TOKENS cannot be "0": it must be a whole number from 1 /],
  ['LOG_LEVEL', 'loud', /^LOG_LEVEL cannot be "loud": it must be one of trace, debug, .*silent\.$/],
  [
    'OPENAI_BASE_URL',
    'user:secret@host',
    'OPENAI_BASE_URL cannot be that value: it must be an http or https URL.',
  ],
  ['SEARXNG_URL', 'secret', 'SEARXNG_URL cannot be that value: it must be an http or https URL.'],
  [
    'DATABASE_URL',
    'mysql://a:secret@b',
    /^DATABASE_URL cannot be that value: it must be a URL like postgres:/,
  ],
])('%s=%s is refused in one line that says what is allowed', (key, value, line) => {
  expect(() => readConfig({ [key]: value })).toThrow(line);
  expect(() => readConfig({ [key]: value })).not.toThrow('secret');
});

test.each(['DATABASE_URL', 'REDIS_URL'])('the example that %s is told passes the log unharmed', (key) => {
  expect(() => readConfig({ [key]: 'http://host' })).toThrow(
    expect.toSatisfy(({ message }: Error) => withoutTokens(message) === message),
  );
});

test('of the providers of web search the first that is configured counts, and an empty value is none', () => {
  const searxng = 'http://127.0.0.1:8080/';
  expect(readConfig({}).webSearch).toBeNull();
  const all = { BRAVE_API_KEY: 'b', TAVILY_API_KEY: 't', SEARXNG_URL: searxng };
  expect(readConfig(all).webSearch).toEqual({ provider: 'brave', apiKey: 'b', baseUrl: null });
  expect(readConfig({ ...all, BRAVE_API_KEY: '' }).webSearch).toEqual({
    provider: 'tavily',
    apiKey: 't',
    baseUrl: null,
  });
  expect(readConfig({ SEARXNG_URL: searxng }).webSearch).toEqual({ provider: 'searxng', baseUrl: searxng });
});

test('what helps to look around is on by default only where nobody says who calls, and off with stored operations only', () => {
  const shown = (environment: NodeJS.ProcessEnv) => {
    const { graphiql, introspection } = readConfig(environment).front;
    return { graphiql, introspection };
  };
  expect(shown({})).toEqual({ graphiql: true, introspection: true });
  expect(shown({ AUTH: 'keys' })).toEqual({ graphiql: false, introspection: false });
  expect(shown({ AUTH: 'keys', INTROSPECTION: 'true' })).toEqual({
    graphiql: false,
    introspection: true,
  });
  const only = { PERSISTED_OPERATIONS: 'operations.json', PERSISTED_OPERATIONS_ONLY: 'true' };
  expect(shown({ ...only, GRAPHIQL: 'true' }).graphiql).toBe(false);
});

test.each(['0.0.0.0', '::', '192.168.1.2', 'example.com', '128.0.0.1', '::2'])(
  'HOST=%s is refused without authentication, in one line that says how to go on',
  (HOST) => {
    const line = new RegExp(`^HOST=${HOST} needs AUTH=keys or AUTH=jwt, .*npm run keys -- create`);
    expect(() => readConfig({ HOST })).toThrow(line);
    expect(() => readConfig({ HOST, AUTH: 'none' })).toThrow(line);
    expect(readConfig({ HOST, AUTH: 'keys' })).toMatchObject({ host: HOST, auth: { mode: 'keys' } });
  },
);

test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost', 'LOCALHOST'])(
  'HOST=%s, which only this machine reaches, needs no authentication',
  (HOST) => {
    expect(readConfig({ HOST }).auth).toEqual({ mode: 'none' });
  },
);

test('AUTH=jwt names what it lacks, one by one', () => {
  const environment: Record<string, string> = { AUTH: 'jwt' };
  for (const [key, value] of [
    ['JWT_JWKS_URL', 'https://issuer.example/jwks.json'],
    ['JWT_ISSUER', 'https://issuer.example/'],
    ['JWT_AUDIENCE', 'responses'],
  ] as const) {
    expect(() => readConfig(environment)).toThrow(`AUTH=jwt needs ${key}: it is not set.`);
    environment[key] = value;
  }
  expect(readConfig(environment).auth).toEqual({
    mode: 'jwt',
    jwksUrl: 'https://issuer.example/jwks.json',
    issuer: 'https://issuer.example/',
    audience: 'responses',
    tenantClaim: 'tenant',
  });
  expect(() => readConfig({ AUTH: 'yes' })).toThrow(
    'AUTH cannot be "yes": it must be one of none, keys, jwt.',
  );
});

test('callers that are not told apart have no limits by default', () => {
  const unlimited = Number.POSITIVE_INFINITY;
  expect(readConfig({ MAX_RUNS_PER_KEY: '7' }).keyLimits).toEqual({
    connections: unlimited,
    subscriptions: unlimited,
    runs: 7,
    runsPerMinute: unlimited,
  });
  expect(Object.values(readConfig({ AUTH: 'keys' }).keyLimits)).not.toContain(unlimited);
});

test('a limit of 0 is none', () => {
  expect(
    readConfig({ AUTH: 'keys', MAX_RUNS_PER_MINUTE: '0', MAX_RUNS_PER_KEY: '7' }).keyLimits,
  ).toMatchObject({
    runsPerMinute: Number.POSITIVE_INFINITY,
    runs: 7,
  });
  expect(() => readConfig({ MAX_RUNS_PER_KEY: '-1' })).toThrow(/^MAX_RUNS_PER_KEY cannot be "-1": /);
});
