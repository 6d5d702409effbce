import { describe, expect, test } from 'vitest';
import { ToolFailure } from '../../src/tools/tool-failure.ts';
import {
  BRAVE_URL,
  createWebSearch,
  type Fetch,
  queryOf,
  type SearchResult,
  TAVILY_URL,
  toSearchOutput,
  WEB_SEARCH_TOOL,
} from '../../src/tools/web-search.ts';
import {
  dies,
  finds,
  hangs,
  hangsInBody,
  type Page,
  responds,
  type SearchApi,
  startSearchServer,
} from '../support/search-server.ts';
import {
  closedServer,
  failure,
  failureOf,
  KEY,
  never,
  optionsOf,
  search,
  toolOf,
} from '../support/web-search.ts';

const APIS: readonly SearchApi[] = ['brave', 'tavily', 'searxng'];
const NAMES = { brave: 'Brave', tavily: 'Tavily', searxng: 'SearXNG' } as const;

const urlsOf = (results: readonly SearchResult[]) => results.map(({ url }) => url);

describe.each(APIS)('every provider: %s', (api) => {
  test.each([
    ['low', 3],
    ['medium', 5],
    [null, 5],
    ['high', 10],
  ] as const)('gives for the size %s %i results', async (searchContextSize, count) => {
    const { results } = await search(api, { searchContextSize });
    expect(urlsOf(results)).toEqual(
      Array.from({ length: count }, (_, index) => `https://site-${index + 1}.example/page`),
    );
  });

  test('gives only results of the allowed domains and what is below them', async () => {
    const pages = [
      'https://a.example/1',
      'https://www.A.example/2',
      'https://xa.example/3',
      'https://a.example.evil.example/4',
      'https://a.example./5',
      'https://b.bücher.example/6',
      'https://evil.example/?u=https://a.example/7',
      'https://a.example@evil.example/8',
      'https://port.example:8080/9',
    ].map((url): Page => ({ url }));
    const within = async (...allowedDomains: string[]) => {
      const { results } = await search(api, { allowedDomains, searchContextSize: 'high' }, finds(...pages));
      return urlsOf(results).map((url) => Number(url.at(-1)));
    };
    expect(await within('a.example')).toEqual([1, 2, 5]);
    expect(await within('https://A.example/')).toEqual([1, 2, 5]);
    expect(await within(' a.example. ')).toEqual([1, 2, 5]);
    expect(await within('*.a.example')).toEqual([1, 2, 5]);
    expect(await within('www.a.example')).toEqual([2]);
    expect(await within('BÜCHER.example')).toEqual([6]);
    expect(await within('xn--bcher-kva.example', 'http://port.example/path')).toEqual([6, 9]);
  });

  test('filters before it cuts', async () => {
    const others = Array.from({ length: 17 }, (_, index): Page => ({ url: `https://no.example/${index}` }));
    const wanted = ['1', '2', '3'].map((path): Page => ({ url: `https://a.example/${path}` }));
    const settings = { allowedDomains: ['a.example'], searchContextSize: 'low' } as const;
    const { results } = await search(api, settings, finds(...others, ...wanted));
    expect(urlsOf(results)).toEqual(wanted.map(({ url }) => url));
  });

  test('is not asked if none of the allowed domains is one, and finds nothing', async () => {
    const { results, sent } = await search(api, { allowedDomains: ['', 'not a domain', 'https://'] });
    expect(results).toEqual([]);
    expect(sent).toBeUndefined();
  });

  test('gives web pages only, each URL once, and copes with what is missing', async () => {
    const pages = [
      { url: 'https://a.example' },
      { url: 'https://a.example/', title: 'again' },
      { url: 'javascript:alert(1)' },
      { url: 'ftp://a.example/' },
      { url: '/relative' },
      { url: 'https://' },
      { url: 'https://b.example/a\n[1] b', title: ' \n ', snippet: null },
      { url: `https://c.example/${'c'.repeat(3000)}` },
      { url: 'http://d.example/ü', title: 'two\r\n\r\n\u0000lines', snippet: 'x'.repeat(2000) },
    ];
    const broken = [
      null,
      'text',
      7,
      [],
      {},
      { url: 7 },
      { url: 'https://e.example/', title: 7, content: {} },
    ];
    const list = [
      ...broken,
      ...pages.map((page) => ({ ...page, content: page.snippet, description: page.snippet })),
    ];
    const { results } = await search(
      api,
      { searchContextSize: 'high' },
      responds(200, { web: { results: list }, results: list }),
    );
    expect(results).toEqual([
      { url: 'https://e.example/', title: null, snippet: '' },
      { url: 'https://a.example', title: null, snippet: '' },
      { url: 'https://b.example/a[1]%20b', title: null, snippet: '' },
      { url: 'http://d.example/ü', title: 'two lines', snippet: 'x'.repeat(1000) },
    ]);
  });

  test('cuts no character in half', async () => {
    const { results } = await search(
      api,
      {},
      finds({ url: 'https://a.example/', snippet: `x${'🙂'.repeat(600)}` }),
    );
    expect(results[0]?.snippet).toBe(`x${'🙂'.repeat(499)}`);
  });

  test('is asked for special characters as they are, and lone surrogates are replaced', async () => {
    const { sent } = await search(api, {}, undefined, 'a&b=c #1 "é" 🙂 \ud800');
    const body = sent?.body as { query?: string } | null;
    expect(sent?.parameters['q'] ?? body?.query).toBe('a&b=c #1 "é" 🙂 \ufffd');
  });

  test.each([
    [401, { error: { detail: 'No such key.' } }, ': No such key.'],
    [429, { detail: { error: 'Too many requests' } }, ': Too many requests.'],
    [429, 'slow down', ': slow down.'],
    [500, '', '.'],
    [500, '<html><body>Oops</body></html>', '.'],
    [502, { errors: [{ message: 'Bad\n\ngateway' }] }, ': Bad gateway.'],
    [503, { error: {}, message: 'Later' }, ': Later.'],
    [503, [], '.'],
  ])('fails with status %i and its words', async (status, body, words) => {
    const error = await failureOf(api, responds(status, body));
    expect(error).toBeInstanceOf(ToolFailure);
    expect(error).toMatchObject({
      type: 'http',
      code: status,
      message: `${NAMES[api]} answered with HTTP status ${status}${words}`,
    });
  });

  test('repeats at most 300 characters of an error', async () => {
    const error = await failureOf(api, responds(400, { error: 'x'.repeat(5000) }));
    expect(error).toMatchObject({
      message: `${NAMES[api]} answered with HTTP status 400: ${'x'.repeat(300)}.`,
    });
  });

  test.each([
    ['', 'is not JSON'],
    ['<!doctype html>', 'is not JSON'],
    ['{"results":[', 'is not JSON'],
    [null, 'has no list of results'],
    ['null', 'has no list of results'],
    [{}, 'has no list of results'],
    [[], 'has no list of results'],
    [{ results: {}, web: {} }, 'has no list of results'],
  ])('fails if the answer is %j', async (body, reason) => {
    expect(await failureOf(api, responds(200, body))).toMatchObject({
      name: 'ToolFailure',
      type: 'protocol',
      code: null,
      message: `The answer of ${NAMES[api]} ${reason}.`,
    });
  });

  test('finds nothing in an empty list', async () => {
    expect((await search(api, {}, responds(200, { web: { results: [] }, results: [] }))).results).toEqual([]);
  });

  test('fails if the connection is cut', async () => {
    expect(await failureOf(api, dies)).toMatchObject({
      type: 'http',
      code: null,
      message: expect.stringMatching(new RegExp(`^${NAMES[api]} could not be reached( \\([A-Z_]+\\))?\\.$`)),
      cause: expect.any(TypeError),
    });
  });

  test('fails if nobody listens', async () => {
    const { baseUrl } = await closedServer();
    expect(await failure(createWebSearch(optionsOf(api, baseUrl), fetch))).toMatchObject({
      type: 'http',
      message: `${NAMES[api]} could not be reached (ECONNREFUSED).`,
    });
  });

  test.each([
    ['before it is sent', null],
    ['while it waits for an answer', hangs],
    ['in the middle of the answer', hangsInBody],
  ])('an abort %s throws its reason and ends the request', async (_, answer) => {
    await using server = await startSearchServer();
    const reason = new Error('enough');
    const controller = new AbortController();
    if (answer === null) controller.abort(reason);
    else server.enqueue(answer);
    const failing = failure(createWebSearch(optionsOf(api, server.baseUrl), fetch), controller.signal);
    if (answer !== null) {
      const { closed } = await server.received(1);
      controller.abort(reason);
      await closed;
    }
    expect(await failing).toBe(reason);
    expect(server.searches).toHaveLength(answer === null ? 0 : 1);
  });

  test('what its fetch throws as a ToolFailure stays as it is, wrapped or not', async () => {
    const blocked = new ToolFailure('blocked', 'That address is not allowed.');
    const throws =
      (error: Error): Fetch =>
      () =>
        Promise.reject(error);
    const options = optionsOf(api, 'http://localhost:1');
    expect(await failure(createWebSearch(options, throws(blocked)))).toBe(blocked);
    const wrapped = new TypeError('fetch failed', { cause: blocked });
    expect(await failure(createWebSearch(options, throws(wrapped)))).toBe(blocked);
  });
});

describe.each(['brave', 'tavily'] as const)('the key of %s', (api) => {
  test('stands in no URL', async () => {
    const urls: string[] = [];
    const spy: Fetch = (input, init) => {
      urls.push(String(input));
      return fetch(input, init);
    };
    await using server = await startSearchServer();
    await createWebSearch(optionsOf(api, server.baseUrl), spy).search(
      { query: 'rain', tool: toolOf() },
      never,
    );
    expect(urls).toHaveLength(1);
    expect(urls.join()).not.toContain(KEY);
  });

  test.each([0, 280, 290, 299])('is not shown, not even a part, %i characters into an error', async (at) => {
    const text = `${'x'.repeat(at)}${KEY} and more`;
    for (const body of [text, { error: text }, { detail: { error: text } }]) {
      const error = await failureOf(api, responds(400, body));
      expect(error).toMatchObject({
        message: expect.stringContaining(`400: ${'x'.repeat(at)}[`.slice(0, 305)),
      });
      expect(String(error)).not.toContain(KEY.slice(0, 4));
    }
  });

  test('is not shown, not even a part, behind more spaces than anybody reads', async () => {
    const error = await failureOf(api, responds(400, `${' '.repeat(9990)}${KEY}`));
    expect(error).toMatchObject({ message: `${NAMES[api]} answered with HTTP status 400: [redacted].` });
  });

  test('is not shown if it cannot stand in a header', async () => {
    const key = `${KEY}\n☂`;
    const error = await failureOf(api, null, key);
    expect(error).toMatchObject({ type: 'http', message: `${NAMES[api]} could not be reached.` });
    expect(String((error as ToolFailure).cause)).not.toContain(KEY);
  });

  test.each([
    ['in what the server sent', Object.assign(new Error('Not HTTP'), { data: `HTTP/9 ${KEY}` })],
    ['in an inner message', new Error(`Wrong: ${KEY.toUpperCase()}`)],
  ])('is not kept with the error, though it is %s', async (_, cause) => {
    const broken: Fetch = () => Promise.reject(new TypeError('fetch failed', { cause }));
    const error = await failure(createWebSearch(optionsOf(api, 'http://localhost:1'), broken));
    expect(error).toMatchObject({ type: 'http', cause: undefined });
  });

  test('does not follow a redirect', async () => {
    await using elsewhere = await startSearchServer();
    const location = `${elsewhere.baseUrl}/res/v1/web/search?q=x`;
    expect(await failureOf(api, responds(302, '', { location }))).toMatchObject({ type: 'http', code: 302 });
    expect(elsewhere.searches).toEqual([]);
  });
});

test('a base URL may end with a slash or have a path', async () => {
  const urls: string[] = [];
  const spy: Fetch = async (input) => {
    urls.push(String(input).replace(/\?.*/, ''));
    return Response.json({ type: 'search', results: [] });
  };
  for (const baseUrl of [BRAVE_URL, 'https://proxy.example/brave/']) {
    await createWebSearch({ provider: 'brave', apiKey: KEY, baseUrl }, spy).search(
      { query: 'x', tool: toolOf() },
      never,
    );
  }
  for (const baseUrl of [TAVILY_URL, 'https://proxy.example/tavily/']) {
    await createWebSearch({ provider: 'tavily', apiKey: KEY, baseUrl }, spy).search(
      { query: 'x', tool: toolOf() },
      never,
    );
  }
  expect(urls).toEqual([
    'https://api.search.brave.com/res/v1/web/search',
    'https://proxy.example/brave/res/v1/web/search',
    'https://api.tavily.com/search',
    'https://proxy.example/tavily/search',
  ]);
});

describe('what the model is offered and told:', () => {
  test('a function with a query, and how to cite', () => {
    expect(WEB_SEARCH_TOOL).toMatchObject({
      name: 'web_search',
      description: expect.stringContaining('[n]'),
      parameters: {
        type: 'object',
        properties: { query: { type: 'string' } },
        required: ['query'],
        additionalProperties: false,
      },
      strict: null,
    });
  });

  test.each([
    [{ query: ' rain ' }, 'rain'],
    [{ query: 'rain', more: 1 }, 'rain'],
    [{ query: ' \n' }, null],
    [{ query: 7 }, null],
    [{ query: null }, null],
    [{ q: 'rain' }, null],
    [{}, null],
  ])('the query of %j is %j', (args, query) => {
    expect(queryOf(args)).toBe(query);
  });

  test('results are numbered blocks, counted from where the last search ended', () => {
    const results = [
      { url: 'https://a.example/', title: 'A', snippet: 'About a.' },
      { url: 'https://b.example/', title: null, snippet: '' },
    ];
    expect(toSearchOutput(results, 4)).toBe(
      '[4] A\nhttps://a.example/\nAbout a.\n\n[5] Untitled\nhttps://b.example/',
    );
  });

  test('no results are said to be none', () => {
    expect(toSearchOutput([], 1)).toBe('The search found nothing. Other words may find more.');
  });
});
