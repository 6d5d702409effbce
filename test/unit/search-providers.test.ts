import { describe, expect, test } from 'vitest';
import { createWebSearch } from '../../src/tools/web-search.ts';
import { finds, responds, startSearchServer, WRONG_KEY } from '../support/search-server.ts';
import { failure, failureOf, KEY, NOWHERE, never, search, toolOf } from '../support/web-search.ts';

describe('Brave', () => {
  test('is asked with the key in a header and for as many web results as are needed', async () => {
    const { sent } = await search('brave');
    expect(sent).toMatchObject({ api: 'brave', method: 'GET', path: '/res/v1/web/search', body: null });
    expect(sent?.parameters).toEqual({
      q: 'rain in Oslo',
      count: '5',
      result_filter: 'web',
      text_decorations: 'false',
    });
    expect(sent?.headers).toMatchObject({ 'x-subscription-token': KEY, accept: 'application/json' });
    expect(sent?.headers.authorization).toBeUndefined();
    expect(Object.keys(sent?.headers ?? {}).filter((name) => name.startsWith('x-loc'))).toEqual([]);
  });

  test('gives titles and descriptions without their HTML', async () => {
    const page = {
      url: 'https://a.example/?a=1&b=2',
      title: '<strong>Rain</strong> &amp; &quot;wind&quot;',
      snippet:
        'It&#x27;s &lt;b&gt; 3 < 4, &#128512; &hellip; &unknown; &valueOf; &toString; &#x110000;\n\n <b class="x">wet</b>&amp;lt;',
    };
    expect((await search('brave', {}, finds(page))).results).toEqual([
      {
        url: 'https://a.example/?a=1&b=2',
        title: 'Rain & "wind"',
        snippet: "It's <b> 3 < 4, 😀 … &unknown; &valueOf; &toString; &#x110000; wet&lt;",
      },
    ]);
  });

  test('without a list of web results has found nothing', async () => {
    expect((await search('brave', {}, finds())).results).toEqual([]);
    expect((await search('brave', {}, responds(200, { type: 'search', web: null }))).results).toEqual([]);
  });

  test('is told the place in headers and the country in a parameter', async () => {
    const userLocation = { city: 'Oslo', region: 'Viken', country: 'no', timezone: 'Europe/Oslo' };
    const { sent } = await search('brave', { userLocation });
    expect(sent?.parameters['country']).toBe('NO');
    expect(sent?.headers).toMatchObject({
      'x-loc-city': 'Oslo',
      'x-loc-state-name': 'Viken',
      'x-loc-country': 'NO',
      'x-loc-timezone': 'Europe/Oslo',
    });
    expect(sent?.headers['x-loc-state']).toBeUndefined();
  });

  test('is told a region of up to three letters as a code', async () => {
    const { sent } = await search('brave', { userLocation: { ...NOWHERE, region: 'CA' } });
    expect(sent?.headers['x-loc-state']).toBe('CA');
    expect(sent?.headers['x-loc-state-name']).toBeUndefined();
    expect(sent?.parameters['country']).toBeUndefined();
  });

  test('searches everywhere for a country that its parameter does not take', async () => {
    const { sent } = await search('brave', { userLocation: { ...NOWHERE, country: 'VN' } });
    expect(sent?.parameters['country']).toBe('ALL');
    expect(sent?.headers['x-loc-country']).toBe('VN');
  });

  test.each([
    ['São Paulo', 'Sao Paulo'],
    ['Zürich\r\nX-Evil: 1', 'Zurich X-Evil: 1'],
    ['  New\tYork ', 'New York'],
    ['東京', undefined],
    ['Łódź', undefined],
    ['a\u0000b', undefined],
    ['', undefined],
    ['x'.repeat(101), undefined],
  ])('is told the city %j as %j', async (city, header) => {
    const { sent } = await search('brave', { userLocation: { ...NOWHERE, city } });
    expect(sent?.headers['x-loc-city']).toBe(header);
    expect(sent?.headers['x-evil']).toBeUndefined();
  });

  test('is not told a country that is no code', async () => {
    const { sent } = await search('brave', { userLocation: { ...NOWHERE, country: 'Norway' } });
    expect(sent?.headers['x-loc-country']).toBeUndefined();
    expect(sent?.parameters['country']).toBe('ALL');
  });

  test('is asked for more results than needed if domains are allowed, with the domains in the query', async () => {
    const { sent } = await search('brave', {
      allowedDomains: ['a.example', 'b.example'],
      searchContextSize: 'low',
    });
    expect(sent?.parameters).toMatchObject({
      q: 'rain in Oslo site:a.example OR site:b.example',
      count: '20',
    });
  });

  test('is sent no more words and letters than it takes, with domains or without', async () => {
    const many = Array.from({ length: 100 }, (_, index) => `word${index}`).join(' ');
    const words = await search('brave', {}, undefined, many);
    expect(words.sent?.parameters['q']).toBe(many.split(' ').slice(0, 50).join(' '));
    const letters = await search('brave', {}, undefined, `${'🙂'.repeat(250)} x`);
    expect(letters.sent?.parameters['q']).toBe('🙂'.repeat(200));
    const allowedDomains = Array.from({ length: 100 }, (_, index) => `a${index}.example`);
    const both = await search('brave', { allowedDomains }, undefined, many);
    const q = both.sent?.parameters['q'] ?? '';
    expect(q).toMatch(/^word0 word1 .*word\d+ site:a0\.example OR site:a1\.example OR .*\.example$/);
    expect(q.length).toBeLessThanOrEqual(400);
    expect(q.split(' ').length).toBeLessThanOrEqual(50);
  });

  test('says in its own words why it refuses a key', async () => {
    expect(await failureOf('brave', null, WRONG_KEY)).toMatchObject({
      type: 'http',
      code: 422,
      message: 'Brave answered with HTTP status 422: The provided subscription token is invalid.',
    });
  });
});

describe('Tavily', () => {
  test('is asked with the key as a bearer token and for as many results as are needed', async () => {
    const { sent } = await search('tavily');
    expect(sent).toMatchObject({ api: 'tavily', method: 'POST', path: '/search', parameters: {} });
    expect(sent?.body).toEqual({ query: 'rain in Oslo', max_results: 5 });
    expect(sent?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      accept: 'application/json',
    });
  });

  test('gives titles and contents as they are', async () => {
    const page = { url: 'https://a.example/', title: 'a < b &amp; c', snippet: '<b>x</b>' };
    expect((await search('tavily', {}, finds(page))).results).toEqual([page]);
  });

  test('is told the domains, and asked for more results than needed', async () => {
    const { sent } = await search('tavily', { allowedDomains: ['a.example', 'https://B.example/'] });
    expect(sent?.body).toEqual({
      query: 'rain in Oslo',
      max_results: 20,
      include_domains: ['a.example', 'b.example'],
    });
  });

  test.each([
    ['de', 'germany'],
    ['US', 'united states'],
    ['CZ', 'czech republic'],
    ['TR', 'turkey'],
    ['BA', 'bosnia and herzegovina'],
    ['HK', undefined],
    ['ZZ', undefined],
    ['Germany', undefined],
    ['1', undefined],
    ['', undefined],
  ])('is told the country %j as %j', async (country, name) => {
    const { sent } = await search('tavily', { userLocation: { ...NOWHERE, country, city: 'Oslo' } });
    expect(sent?.body).toEqual({ query: 'rain in Oslo', max_results: 5, country: name });
  });

  test('is sent no longer a query than it takes', async () => {
    const { sent } = await search('tavily', {}, undefined, 'x'.repeat(401));
    expect(sent?.body).toMatchObject({ query: 'x'.repeat(400) });
  });

  test('says in its own words why it refuses a key', async () => {
    expect(await failureOf('tavily', null, WRONG_KEY)).toMatchObject({
      type: 'http',
      code: 401,
      message: 'Tavily answered with HTTP status 401: Unauthorized: missing or invalid API key.',
    });
  });
});

describe('SearXNG', () => {
  test('is asked for JSON, and not told a place', async () => {
    const userLocation = { city: 'Oslo', region: 'Viken', country: 'NO', timezone: 'Europe/Oslo' };
    const { sent, results } = await search('searxng', { userLocation });
    expect(sent).toMatchObject({ api: 'searxng', method: 'GET', path: '/search', body: null });
    expect(sent?.parameters).toEqual({ q: 'rain in Oslo', format: 'json' });
    expect(Object.entries(sent?.headers ?? {}).filter(([name]) => /^x-|auth/.test(name))).toEqual([]);
    expect(results[0]).toEqual({
      url: 'https://site-1.example/page',
      title: 'Page 1',
      snippet: 'What page 1 says.',
    });
  });

  test.each(['/searx', '/searx/', '/a/b'])('is asked below the path %s', async (path) => {
    await using server = await startSearchServer();
    const web = createWebSearch({ provider: 'searxng', baseUrl: `${server.baseUrl}${path}` }, fetch);
    expect(await web.search({ query: 'rain', tool: toolOf() }, never)).toHaveLength(5);
    expect(server.searches[0]?.path).toBe(`${path.replace(/\/$/, '')}/search`);
  });

  test('gets the domains in the query', async () => {
    const { sent } = await search('searxng', { allowedDomains: ['bücher.example', 'a.example'] });
    expect(sent?.parameters['q']).toBe('rain in Oslo site:xn--bcher-kva.example OR site:a.example');
  });

  test('is asked with the name and password of its URL, which no message repeats', async () => {
    await using server = await startSearchServer();
    server.enqueue(finds(), responds(401, 'No s3cret%: here.'));
    const baseUrl = server.baseUrl.replace('//', '//user:s3cret%25%3A@');
    const web = createWebSearch({ provider: 'searxng', baseUrl }, fetch);
    expect(await web.search({ query: 'rain', tool: toolOf() }, never)).toEqual([]);
    const login = Buffer.from('user:s3cret%:').toString('base64');
    expect(server.searches[0]?.headers.authorization).toBe(`Basic ${login}`);
    expect(await failure(web)).toMatchObject({
      message: 'SearXNG answered with HTTP status 401: No [redacted] here.',
    });
  });

  test('has the name, the login and the parameters of its URL repeated by no message', async () => {
    await using server = await startSearchServer();
    server.enqueue(
      responds(401, 'No: Alice, alice:s3cret%, S3CRET%25, t0k/en, T0K%2fEN and a1.'),
      responds(401, `No: ${Buffer.from('alice:s3cret%').toString('base64')}.`),
    );
    const baseUrl = `${server.baseUrl.replace('//', '//alice:s3cret%25@')}/?token=t0k%2Fen&v=a1`;
    const web = createWebSearch({ provider: 'searxng', baseUrl }, fetch);
    const message = (words: string) => `SearXNG answered with HTTP status 401: No: ${words}.`;
    const words = '[redacted], [redacted], [redacted], [redacted], [redacted] and a1';
    expect(await failure(web)).toMatchObject({ message: message(words) });
    expect(await failure(web)).toMatchObject({ message: message('[redacted]') });
  });

  test('with status 403 is said to lack the JSON format', async () => {
    expect(
      await failureOf('searxng', responds(403, '<!doctype html><title>403 Forbidden</title>')),
    ).toMatchObject({
      type: 'http',
      code: 403,
      message:
        'SearXNG answered with HTTP status 403: its JSON format is probably not enabled (search.formats in its ' +
        'settings.yml).',
    });
  });
});
