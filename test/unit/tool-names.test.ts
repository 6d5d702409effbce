import { expect, test } from 'vitest';
import { allowing, fn, origins, search, server, shownBy, toolbox } from '../support/toolbox.ts';

test('a web search gives way to a function of its name, and to nothing else', () => {
  const box = toolbox([search, fn('web_search'), server('a')], { a: ['web_search', 'web_search_2'] });
  expect(origins(box)).toEqual([
    ['web_search_2', 'web_search'],
    ['web_search', 'client'],
    ['a_web_search', 'a/web_search'],
    ['a_web_search_2', 'a/web_search_2'],
  ]);
  expect(box.route('web_search_2')).toMatchObject({ calledAs: 'web_search_2' });
  expect(origins(toolbox([server('a'), search], { a: ['web_search'] }))).toEqual([
    ['a_web_search', 'a/web_search'],
    ['web_search', 'web_search'],
  ]);
});

test('without a web search its name is free for others', () => {
  expect(shownBy(toolbox([server('a')], { a: ['web_search'] }))).toEqual(['web_search']);
});

test('a tool of a server gives way to a function of its name', () => {
  expect(origins(toolbox([server('a'), fn('read')], { a: ['read', 'write'] }))).toEqual([
    ['a_read', 'a/read'],
    ['write', 'a/write'],
    ['read', 'client'],
  ]);
});

test('servers that share a name all get aliases for it, and keep the names that are theirs alone', () => {
  const labels = Array.from({ length: 20 }, (_, index) => `s${index}`);
  const box = toolbox(
    labels.map((label) => server(label)),
    Object.fromEntries(labels.map((label) => [label, ['read', `only_${label}`]])),
  );
  expect(origins(box)).toEqual(
    labels.flatMap((label) => [
      [`${label}_read`, `${label}/read`],
      [`only_${label}`, `${label}/only_${label}`],
    ]),
  );
});

test.each([
  ['read file', 'a_read_file'],
  ['files/read', 'a_files_read'],
  ['über', 'a__ber'],
  ['', 'a_'],
  ['a"],"x":["', 'a_a____x____'],
  ['r\u0000\n', 'a_r__'],
  ['n'.repeat(65), `a_${'n'.repeat(62)}`],
])('%j, which is no legal name, is shown as %s and stays itself on the route', (name, alias) => {
  const box = toolbox([server('a')], { a: [name] });
  expect(shownBy(box)).toEqual([alias]);
  expect(box.route(alias)).toMatchObject({ kind: 'mcp', tool: { name }, calledAs: alias });
  expect(box.route(name)).toEqual({ kind: 'unknown' });
});

test('64 characters are a legal name', () => {
  const name = 'n'.repeat(64);
  expect(shownBy(toolbox([server('a')], { a: [name] }))).toEqual([name]);
});

test('aliases that are alike once they are legal and cut are told apart within 64 characters', () => {
  const names = Array.from({ length: 12 }, (_, index) => `${'n'.repeat(70)}${index}`);
  const shown = shownBy(toolbox([server('a')], { a: names }));
  expect(shown[0]).toBe(`a_${'n'.repeat(62)}`);
  expect(shown[1]).toBe(`a_${'n'.repeat(60)}_2`);
  expect(shown[11]).toBe(`a_${'n'.repeat(59)}_12`);
  expect(new Set(shown).size).toBe(12);
  for (const name of shown) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
});

test('no alias takes a name that is somebody else’s own', () => {
  const box = toolbox([server('a'), server('b'), fn('b_x')], { a: ['x', 'y z'], b: ['x', 'a_x', 'a_y_z'] });
  expect(origins(box)).toEqual([
    ['a_x_2', 'a/x'],
    ['a_y_z_2', 'a/y z'],
    ['b_x_2', 'b/x'],
    ['a_x', 'b/a_x'],
    ['a_y_z', 'b/a_y_z'],
    ['b_x', 'client'],
  ]);
});

test('labels and names that join to the same alias are told apart', () => {
  const box = toolbox([server('a_b'), server('a'), server('c')], {
    a_b: ['c'],
    a: ['b_c', 'c'],
    c: ['b_c'],
  });
  expect(origins(box)).toEqual([
    ['a_b_c', 'a_b/c'],
    ['a_b_c_2', 'a/b_c'],
    ['a_c', 'a/c'],
    ['c_b_c', 'c/b_c'],
  ]);
});

test('the same tools get the same names, whatever is chosen of them', () => {
  const tools = [server('a'), fn('read'), search, server('b')];
  const listings = { a: ['x', 'read', 'y!'], b: ['x', 'y?'] };
  const all = origins(toolbox(tools, listings));
  expect(origins(toolbox(tools, listings))).toEqual(all);
  const choice = allowing('auto', { type: 'mcp', serverLabel: 'b', name: null });
  expect(origins(toolbox(tools, listings, choice))).toEqual(
    all.filter(([, origin]) => origin.startsWith('b/')),
  );
});

test('thousands of tools that are alike are named in no time', () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `${'ä'.repeat(70)}${index}`);
  const shown = shownBy(toolbox([server('a')], { a: names }));
  expect(new Set(shown).size).toBe(20_000);
});
