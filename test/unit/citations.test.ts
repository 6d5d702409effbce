import { describe, expect, test } from 'vitest';
import type { WebSearchSource } from '../../src/protocol/items.ts';
import { findCitations } from '../../src/tools/citations.ts';

const source = (url: string, title: string | null = null): WebSearchSource => ({ url, title });
const sourcesOf = (...urls: readonly string[]) => urls.map((url) => source(url));

/** What each citation covers and which URL it names. */
function cited(text: string, ...urls: readonly string[]): readonly (readonly [string, string])[] {
  return findCitations(text, sourcesOf(...urls)).map(({ url, startIndex, endIndex }) => [
    text.slice(startIndex, endIndex),
    url,
  ]);
}

const X = 'https://a.example/x';

test('a marker and a URL become citations with their title and exact place', () => {
  const text = `Rain [2]. See ${X}.`;
  expect(findCitations(text, [source(X, 'A'), source('https://b.example/', null)])).toEqual([
    { type: 'url_citation', url: 'https://b.example/', title: null, startIndex: 5, endIndex: 8 },
    { type: 'url_citation', url: X, title: 'A', startIndex: 14, endIndex: 33 },
  ]);
});

test('indexes count UTF-16 code units, so emoji before a citation count twice', () => {
  const text = '👩‍👩‍👧 𝕏 é [1]';
  const [citation] = findCitations(text, sourcesOf(X));
  expect(citation).toMatchObject({ startIndex: text.length - 3, endIndex: text.length });
  expect(text.length).toBe(17);
});

test('a text without sources, or sources without a text, give nothing', () => {
  expect(cited(`[1] ${X}`)).toEqual([]);
  expect(cited('', X)).toEqual([]);
});

describe('markers:', () => {
  const B = 'https://b.example/y';

  test('neighbours are two citations', () => {
    expect(cited('so[1][2].', X, B)).toEqual([
      ['[1]', X],
      ['[2]', B],
    ]);
  });

  test.each([
    '[0]',
    '[3]',
    '[99]',
    '[01]',
    '[-1]',
    '[ 1 ]',
    '[1',
    '1]',
    '[1, 2]',
    '[1-2]',
    '[^1]',
    '[999999999999]',
    '[]',
    '[a]',
  ])('%s is none', (text) => {
    expect(cited(text, X, B)).toEqual([]);
  });

  test('numbers of several digits are read whole', () => {
    const urls = Array.from({ length: 12 }, (_, index) => `https://s${index + 1}.example/`);
    expect(cited('[12] [1]', ...urls)).toEqual([
      ['[12]', 'https://s12.example/'],
      ['[1]', 'https://s1.example/'],
    ]);
  });

  test('a marker inside of a URL that is cited is part of it', () => {
    expect(cited('https://a.example/?x[1]=2', 'https://a.example/?x[1]=2')).toEqual([
      ['https://a.example/?x[1]=2', 'https://a.example/?x[1]=2'],
    ]);
  });

  test('a URL with a marker right behind it is two citations', () => {
    expect(cited(`${X}[1]`, X)).toEqual([
      [X, X],
      ['[1]', X],
    ]);
  });

  test('the marker of a markdown link and its target are two citations', () => {
    expect(cited(`[1](${X})`, X)).toEqual([
      ['[1]', X],
      [X, X],
    ]);
  });
});

describe('a URL is cited', () => {
  test.each([
    '%',
    'see %',
    '%.',
    '%, and',
    '%; and',
    '%: it',
    '%!',
    '%?',
    '%?!',
    '%...',
    '(%)',
    '(%).',
    '(see %.)',
    '[a](%)',
    '[a](%).',
    '[a](% "title")',
    '<%>',
    '"%"',
    "'%'",
    '“%”',
    '‘%.’',
    '«%»',
    '`%`',
    '**%**',
    '*%*',
    '_%_',
    '~~%~~',
    '{%}',
    '|%|',
    '%\n',
    '%\u00a0next',
    '%。次',
    '%，次',
    '「%」',
    '来源：%，其中',
    '来源%，其中',
    '%—next',
    '%👍',
    '👍%',
    'Source:%',
    '=%',
    '...%',
    '%</a>',
    '%\\n',
  ])('in %s', (template) => {
    const text = template.replace('%', X);
    expect(cited(text, X)).toEqual([[X, X]]);
    expect(text.indexOf(X)).toBe(findCitations(text, sourcesOf(X))[0]?.startIndex);
  });
});

describe('a URL is not cited', () => {
  test.each([
    `${X}y`,
    `${X}/y`,
    `${X}//`,
    `${X}.html`,
    `${X}?q=1`,
    `${X}#part`,
    `${X}&b`,
    `${X}=b`,
    `${X}-b`,
    `${X}_b`,
    `${X}~b`,
    `${X}%20b`,
    `${X}+b`,
    `${X}@b`,
    `${X}:1`,
    `${X},1`,
    `${X};b`,
    `${X}(b)`,
    `${X}é`,
    `${X}的`,
    `${X}𝕏`,
    `${X}?https://b.example/`,
    `https://archive.example/web/${X}`,
    `https://archive.example/?u=${X}`,
    `git+${X}`,
    `s${X}`,
    X.replace('https', 'http'),
    X.replace('/x', ''),
    X.replace('/x', '/X'),
    'a.example/x',
  ])('in %s', (text) => {
    expect(cited(text, X)).toEqual([]);
    expect(cited(`${text} ${X}`, X)).toEqual([[X, X]]);
  });

  test('when only its host is a source and a port or a longer host follows', () => {
    expect(cited('https://a.example:8080/ https://a.example.org', 'https://a.example')).toEqual([]);
  });
});

test('the longest of several URLs that begin alike wins, whatever their order', () => {
  const long = `${X}/y/z`;
  for (const urls of [
    [X, `${X}/y`, long],
    [long, `${X}/y`, X],
  ]) {
    expect(cited(`${long} ${X}/y. (${X})`, ...urls)).toEqual([
      [long, long],
      [`${X}/y`, `${X}/y`],
      [X, X],
    ]);
  }
});

test('brackets that belong to a URL are part of it', () => {
  const bar = 'https://w.example/Foo_(bar)';
  expect(cited(`(${bar}) [t](${bar})`, bar, 'https://w.example/Foo_')).toEqual([
    [bar, bar],
    [bar, bar],
  ]);
});

test('URLs in a list without spaces are all cited', () => {
  const b = 'https://b.example/y';
  expect(cited(`${X},${b};${X}|${b}`, X, b)).toEqual([
    [X, X],
    [b, b],
    [X, X],
    [b, b],
  ]);
});

test('a slash at the end makes no difference, and what is written is what is covered', () => {
  expect(cited('https://a.example, https://a.example/', 'https://a.example/')).toEqual([
    ['https://a.example', 'https://a.example/'],
    ['https://a.example/', 'https://a.example/'],
  ]);
  expect(cited(`${X}/.`, X)).toEqual([[`${X}/`, X]]);
});

test('a slash at the end of a query or a fragment does make a difference', () => {
  expect(
    cited('https://a.example/?q=1/ https://a.example/#p/', 'https://a.example/?q=1', 'https://a.example/#p'),
  ).toEqual([]);
});

test('behind a URL that is no source, marks and brackets of any script begin anew', () => {
  for (const mark of [',', ';', ')(', '](', '">', '，', '、', '。', '）（', '”“', '|']) {
    expect(cited(`https://other.example/a${mark}${X}`, X)).toEqual([[X, X]]);
  }
});

test('sources that differ by a slash only are told apart', () => {
  expect(cited(`${X} ${X}/`, `${X}/`, X)).toEqual([
    [X, X],
    [`${X}/`, `${X}/`],
  ]);
});

test('a URL of more than 500 characters counts by its marker only', () => {
  const [usual, long] = [X.padEnd(500, 'x'), X.padEnd(501, 'x')];
  expect(cited(`${usual} ${long} [2]`, usual, long)).toEqual([
    [usual, usual],
    ['[2]', long],
  ]);
});

test('of several sources with one URL the first is named', () => {
  const text = `${X} [2]`;
  const titles = findCitations(text, [source(X, 'first'), source(X, 'second')]).map(({ title }) => title);
  expect(titles).toEqual(['first', 'second']);
});

test('sources that are no web pages are named by number only', () => {
  const odd = ['', 'https://', 'https:///', 'ftp://a.example/', 'data:,x', '['];
  expect(cited(`${odd.join(' ')} https://  http:// [1][4]`, ...odd)).toEqual([
    ['[1]', ''],
    ['[4]', 'ftp://a.example/'],
  ]);
});

test('special characters of a URL mean themselves', () => {
  const url = 'https://a.example/?q=.*+$^(x)[1]{2}|\\d';
  expect(cited(url, url)).toEqual([[url, url]]);
  expect(cited('https://a.example/?q=zzzz', url)).toEqual([]);
});

test('random texts: every citation is in order, apart from the others and covers what it says', () => {
  const random = randomNumbers(20_260_101);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const urls = [
    X,
    `${X}/`,
    `${X}/y`,
    'https://a.example',
    'http://ü.example/ß',
    'https://b.example/a_(b)',
    X,
  ];
  const noise = [
    '👩‍👩‍👧',
    '𝕏',
    '\ud800',
    'é',
    ' ',
    '.',
    '/',
    '[',
    ']',
    '(',
    ')',
    '\n',
    'word',
    '1',
    ',',
    'http',
    'https://',
    '?',
  ];
  const markers = ['[1]', '[2]', '[7]', '[8]', '[0]', '[1, 2]'];
  let found = 0;
  for (let round = 0; round < 5000; round++) {
    const length = Math.floor(random() * 30);
    const parts = Array.from({ length }, () => pick(pick([noise, noise, urls, markers])));
    const text = parts.join('');
    let last = 0;
    for (const { url, startIndex, endIndex } of findCitations(text, sourcesOf(...urls))) {
      const slice = text.slice(startIndex, endIndex);
      const marker = /^\[(\d)\]$/.exec(slice)?.[1];
      const named = marker === undefined ? slice.replace(/\/$/, '') : urls[Number(marker) - 1];
      expect(marker === undefined ? url.replace(/\/$/, '') : url).toBe(named);
      expect(startIndex).toBeGreaterThanOrEqual(last);
      expect(endIndex).toBeGreaterThan(startIndex);
      last = endIndex;
      found += 1;
    }
  }
  expect(found).toBeGreaterThan(5000);
});

test('random texts with spaces between: nothing that is named is missed', () => {
  const random = randomNumbers(7);
  const names = ['[1]', '[2]', X, 'https://b.example/a_(b)', '🙂', 'no', '[9]', `${X}z`];
  const urls = [X, 'https://b.example/a_(b)'];
  for (let round = 0; round < 500; round++) {
    const words = Array.from({ length: 20 }, () => names[Math.floor(random() * names.length)] ?? '');
    const expected = words.filter((word) => names.indexOf(word) < 4);
    expect(cited(words.join(' '), ...urls).map(([slice]) => slice)).toEqual(expected);
  }
});

describe('a hostile text of 100,000 characters with 100 sources takes no time:', () => {
  const long = 'https://a.example/'.padEnd(1900, 'a');
  const nested = 'http://h,'.repeat(10);
  const numbered = (prefix: string) => Array.from({ length: 100 }, (_, index) => `${prefix}${index}`);
  const repeat = (part: string) => part.repeat(Math.ceil(100_000 / part.length)).slice(0, 100_000);

  test.each([
    ['brackets', repeat('['), numbered(X)],
    ['open markers', repeat('[1'), numbered(X)],
    ['markers', repeat('[1]'), numbered(X)],
    ['schemes', repeat('http://'), numbered('http://http://')],
    ['schemes in a list', repeat('http://,'), numbered('http://,http://,')],
    ['short URLs', repeat('http://a,'), numbered('http://a,')],
    ['one URL after the other', repeat(`${X}1 `), numbered(X)],
    ['one URL that is too long', `${X}${repeat('a')}`, numbered(X)],
    ['a URL and dots without end', `${X}1${repeat('.')}`, numbered(X)],
    ['URLs with dots behind', repeat(`${X}1..........a `), numbered(X)],
    ['beginnings of long URLs', repeat(`${long} `), numbered(long)],
    ['URLs that contain themselves', repeat(nested), numbered(nested)],
    [
      'long URLs that contain themselves',
      repeat('http://h,'),
      Array.from({ length: 100 }, (_, index) => 'http://h,'.repeat(100 + index)),
    ],
    ['letters', repeat('𝕏'), numbered(X)],
  ])('%s', (_, text, urls) => {
    const sources = sourcesOf(...urls);
    const times = Array.from({ length: 5 }, () => {
      const start = process.threadCpuUsage(); // not the clock: other tests run beside this one
      findCitations(text, sources);
      const { user, system } = process.threadCpuUsage(start);
      return (user + system) / 1000;
    });
    expect(Math.min(...times)).toBeLessThan(100);
  });
});

/** The same numbers from 0 to 1 in every run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
