import { describe, expect, test } from 'vitest';
import { allRules, cycles, readSources, type Source } from './support/rooms.ts';

const sources = readSources();

test('there are files to look at', () => {
  expect(sources.length).toBeGreaterThan(50);
  expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(200);
});

test.each(Object.entries(allRules))('%s', (_, rule) => {
  expect(sources.flatMap(rule)).toEqual([]);
});

test('no file imports itself by way of others, type imports included', () => {
  expect(cycles(sources)).toEqual([]);
});

/** A source as it would be read from this path. */
function source(path: string, ...lines: readonly string[]): Source {
  return readSources.parse(path, lines.join('\n'));
}

const broken = (path: string, ...lines: readonly string[]): readonly string[] => {
  const file = source(path, ...lines);
  return Object.entries(allRules).flatMap(([name, rule]) => (rule(file).length > 0 ? [name] : []));
};

describe('the rules can fail:', () => {
  const ROOMS = 'a file imports lower rooms and its own only';
  const from = (to: string) => `import { x } from '${to}';`;

  test.each([
    ['src/util/a.ts', '../protocol/b.ts'],
    ['src/protocol/a.ts', '../store/b.ts'],
    ['src/model/a.ts', '../store/b.ts'],
    ['src/model/a.ts', '../tools/b.ts'],
    ['src/tools/a.ts', '../model/b.ts'],
    ['src/store/a.ts', '../engine/b.ts'],
    ['src/engine/a.ts', '../graphql/b.ts'],
    ['src/graphql/a.ts', '../store/b.ts'],
    ['src/graphql/a.ts', '../model/b.ts'],
    ['src/graphql/a.ts', '../tools/b.ts'],
    ['src/graphql/a.ts', '../server/b.ts'],
    ['src/server/a.ts', '../config.ts'],
    ['src/server/plugins/a.ts', '../../app.ts'],
    ['src/engine/a.ts', '../config.ts'],
    ['src/engine/a.ts', '../demo/b.ts'],
    ['src/main.ts', './demo/b.ts'],
    ['src/keys.ts', './engine/b.ts'],
    ['src/store/a.ts', '../keys/b.ts'],
    ['src/demo/a.ts', '../protocol/b.ts'],
    ['src/config.ts', './app.ts'],
    ['src/util/a.ts', '../cellar/b.ts'],
    ['src/util/a.ts', '../../test/support/b.ts'],
  ])('%s may not import %s', (path, to) => {
    expect(broken(path, from(to))).toEqual([ROOMS]);
    expect(broken(path, `import type { X } from '${to}';`)).toEqual([ROOMS]);
    expect(broken(path, `export { x,`, `  y } from "${to}";`)).toEqual([ROOMS]);
    expect(broken(path, `export * from '${to}';`)).toEqual([ROOMS]);
    expect(broken(path, `import '${to}';`)).toEqual([ROOMS]);
    expect(broken(path, `const later = import('${to}');`)).toEqual([ROOMS]);
    expect(broken(path, `type X = import('${to}').X;`)).toEqual([ROOMS]);
  });

  test.each([
    ['src/engine/a.ts', '../model/b.ts'],
    ['src/engine/a.ts', '../store/b.ts'],
    ['src/engine/a.ts', '../tools/b.ts'],
    ['src/graphql/a.ts', '../engine/b.ts'],
    ['src/graphql/a.ts', '../protocol/b.ts'],
    ['src/graphql/a.ts', './b.ts'],
    ['src/server/plugins/a.ts', '../../store/b.ts'],
    ['src/app.ts', './demo/b.ts'],
    ['src/main.ts', './config.ts'],
    ['src/demo/a.ts', '../util/b.ts'],
    ['src/demo/a.ts', 'node:http'],
    ['src/store/a.ts', 'postgres'],
  ])('%s may import %s', (path, to) => {
    expect(broken(path, from(to))).toEqual([]);
  });

  test('a comment or a string is no import', () => {
    expect(
      broken('src/util/a.ts', "// import { x } from '../engine/b.ts';", "/* from '../engine/b.ts' */"),
    ).toEqual([]);
  });

  test.each([
    ['a file has at most 250 lines', 'src/util/a.ts', 'x();\n'.repeat(251)],
    [
      'only config.ts and the programs read the environment',
      'src/server/a.ts',
      'const { PORT } = process.env;',
    ],
    [
      'only config.ts and the programs read the environment',
      'src/server/a.ts',
      "import { env } from 'node:process';",
    ],
    ['names are in kebab-case', 'src/util/camelCase.ts', ''],
    ['names are in kebab-case', 'src/Util_/a.ts', ''],
    ['no default exports', 'src/util/a.ts', 'export default 1;'],
    ['no default exports', 'src/util/a.ts', 'export { x as default };'],
    ['no any', 'src/util/a.ts', 'const x: any = 1;'],
    ['no any', 'src/util/a.ts', 'const x = y as any;'],
    ['no any', 'src/util/a.ts', 'const x = new Map<string, any>();'],
    ['no any', 'src/util/a.ts', 'const x: any[] = [];'],
    ['no silenced compiler', 'src/util/a.ts', '// @ts-ignore'],
    ['no silenced compiler', 'src/util/a.ts', '// @ts-expect-error it is fine'],
    ['no silenced compiler', 'src/util/a.ts', '// @ts-nocheck'],
    ['no console', 'src/util/a.ts', 'console.log(1);'],
    ['drizzle is loaded in one place', 'src/store/a.ts', "import { sql } from 'drizzle-orm';"],
    [
      'drizzle is loaded in one place',
      'src/store/a.ts',
      "import {\n  text,\n  uuid,\n} from 'drizzle-orm/pg-core';",
    ],
    ['imports name files as they are', 'src/util/a.ts', "import { x } from './b';"],
    ['imports name files as they are', 'src/util/a.ts', "import { x } from './b.js';"],
  ])('%s (%s)', (name, path, text) => {
    expect(broken(path, text)).toEqual([name]);
  });

  test('a cycle is found, also one of types only and one through three files', () => {
    const a = source('src/util/a.ts', "import type { B } from './b.ts';");
    const b = source('src/util/b.ts', "import { c } from './c.ts';");
    const c = source('src/util/c.ts', "export * from './a.ts';");
    expect(cycles([a, b, c])).toEqual(['src/util/a.ts → src/util/b.ts → src/util/c.ts → src/util/a.ts']);
    expect(cycles([a, b])).toEqual([]);
    expect(cycles([source('src/util/a.ts', "import { a } from './a.ts';")])).toEqual([
      'src/util/a.ts → src/util/a.ts',
    ]);
  });
});
