import { expect, test } from 'vitest';
import { calls, says } from '../support/chat-server.ts';
import { createResponse } from '../support/graphql.ts';
import { run, sentTo } from '../support/run.ts';
import { finds } from '../support/search-server.ts';
import { startSearchingApp } from '../support/searching-app.ts';
import { collect, follow } from '../support/stream.ts';
import { SEARCH_CANARY } from '../support/suite-canary.ts';
import { call } from '../support/tools.ts';

const input = { text: 'What is new?' };
const page = (name: string) => ({ url: `https://${name}.example/x`, title: name, snippet: `About ${name}.` });

test.each(['brave', 'tavily', 'searxng'] as const)(
  '%s is searched, and what it finds is cited',
  async (provider) => {
    await using app = await startSearchingApp({}, provider);
    const { search } = app;
    search.enqueue(finds(page('one'), page('two'), page('three'), page('four')));
    app.upstream.enqueue(
      calls([call('web_search', { query: 'news' })], 'One moment.'),
      says('😀 First [2], ', 'then https://one.example', '/x. Not [9].'),
    );
    const response = await run(app, { input, tools: [{ webSearch: { searchContextSize: 'LOW' } }] });
    expect(response.output).toMatchObject([
      { text: 'One moment.', content: [{ annotations: [] }] },
      {
        __typename: 'WebSearchCall',
        status: 'COMPLETED',
        query: 'news',
        error: null,
        sources: ['one', 'two', 'three'].map((name) => ({ url: page(name).url, title: name })),
      },
      { __typename: 'Message' },
    ]);
    expect(search.searches).toMatchObject([{ api: provider }]);
    const [{ text, annotations }] = response.output[2].content;
    expect(annotations).toEqual([
      { url: page('two').url, title: 'two', startIndex: 9, endIndex: 12 },
      { url: page('one').url, title: 'one', startIndex: 19, endIndex: 40 },
    ]);
    expect(text.slice(19, 40)).toBe(page('one').url);
    const [, , told] = sentTo(app).messages;
    expect(told).toEqual({
      role: 'tool',
      tool_call_id: 'call_web_search_0',
      content: ['one', 'two', 'three']
        .map((name, index) => `[${index + 1}] ${name}\n${page(name).url}\nAbout ${name}.`)
        .join('\n\n'),
    });
    expect(JSON.stringify(await collect(app, { id: response.id }))).not.toContain(SEARCH_CANARY);
  },
);

test('several searches, also at once and over turns, give every source a number of its own', async () => {
  await using app = await startSearchingApp();
  const { search } = app;
  const found = Array.from({ length: 3 }, (_, index) => [page(`a${index}`), page(`b${index}`)]);
  for (const pages of found) search.enqueue(finds(...pages));
  const tools = [{ webSearch: {} }];
  app.upstream.enqueue(
    calls([call('web_search', { query: '1' }, 'x'), call('web_search', { query: '2' }, 'y')]),
    says('See [1], [2], [3] and [4].'),
  );
  const first = await run(app, { input, tools });
  const told = sentTo(app).messages.filter(({ role }) => role === 'tool');
  const numbered = new Map<string, string>();
  for (const { content } of told)
    for (const [, number, url] of String(content).matchAll(/^\[(\d)\] \w+\n(\S+)$/gm))
      numbered.set(`[${number}]`, String(url));
  expect([...numbered.keys()].sort()).toEqual(['[1]', '[2]', '[3]', '[4]']);
  const [{ text, annotations }] = first.output[2].content;
  expect(annotations).toHaveLength(4);
  for (const { url, startIndex, endIndex } of annotations)
    expect(numbered.get(text.slice(startIndex, endIndex))).toBe(url);

  app.upstream.enqueue(calls([call('web_search', { query: '3' })]), says('Again [1], new [5].'));
  const second = await run(app, { input, tools, previousResponseId: first.id });
  expect(second.output[1].content[0].annotations).toMatchObject([
    { url: numbered.get('[1]') },
    { url: page('a2').url },
  ]);
});

test('while a search is under way, a follower sees what is searched for', async () => {
  await using app = await startSearchingApp();
  const { search } = app;
  const { promise, resolve } = Promise.withResolvers<void>();
  search.enqueue(async (each) => {
    await promise;
    await finds(page('late'))(each);
  });
  app.upstream.enqueue(calls([call('web_search', { query: 'slow things' })]));
  const { id } = await createResponse(app, { input, tools: [{ webSearch: {} }], stream: true });
  for await (const event of follow(app, { id })) {
    if (event.__typename !== 'WebSearchCallSearchingEvent') continue;
    expect(event['query']).toBe('slow things');
    break;
  }
  resolve();
  expect((await collect(app, { id })).at(-1)?.['response'].output[0]).toMatchObject({
    sources: [{ title: 'late' }],
  });
});

test('only results of the allowed domains are used, and the place of the user is passed on', async () => {
  await using app = await startSearchingApp({}, 'brave');
  const { search } = app;
  const pages = ['news.good.example', 'bad.example', 'good.example.evil.example', 'good.example'];
  search.enqueue(finds(...pages.map((host) => ({ url: `https://${host}/`, title: host }))));
  app.upstream.enqueue(calls([call('web_search', { query: 'x' })]));
  const userLocation = { city: 'Bern', country: 'CH', timezone: 'Europe/Zurich' };
  const tool = { webSearch: { allowedDomains: ['good.example'], userLocation } };
  const response = await run(app, { input, tools: [tool] });
  expect(response.output[0].sources.map(({ title }: { title: string }) => title)).toEqual([
    pages[0],
    pages[3],
  ]);
  expect(search.searches[0]).toMatchObject({
    parameters: { q: expect.stringContaining('site:good.example'), country: 'CH' },
    headers: { 'x-loc-city': 'Bern', 'x-loc-timezone': 'Europe/Zurich' },
  });
});
