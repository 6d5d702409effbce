import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** A file of the project: where it is, what it says and what it imports. */
export interface Source {
  /** From the project's root, e.g. `src/util/errors.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments. */
  readonly code: string;
  /** As written, type imports included. */
  readonly imports: readonly string[];
}

/** What is wrong with a file: nothing, or a line for each offence. */
type Rule = (source: Source) => readonly string[];

/** Every room with the rooms that it may import beside itself. `app` and `main` are files; `keys` is a program of its own. */
const ROOMS: { readonly [room: string]: readonly string[] } = {
  util: [],
  protocol: ['util'],
  model: ['util', 'protocol'],
  tools: ['util', 'protocol'],
  store: ['util', 'protocol'],
  engine: ['util', 'protocol', 'model', 'tools', 'store'],
  graphql: ['util', 'protocol', 'engine'],
  server: ['util', 'protocol', 'model', 'tools', 'store', 'engine', 'graphql'],
  demo: ['util'],
  config: ['util'],
  app: ['util', 'protocol', 'model', 'tools', 'store', 'engine', 'graphql', 'server', 'demo', 'config'],
  keys: ['util', 'protocol', 'store', 'config'],
  main: ['util', 'config', 'app'],
};

const MAX_LINES = 250;
const ENVIRONMENT =
  /\bprocess\s*\??\.\s*env\b|\bprocess\[|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*['"](?:node:)?process['"]/;

/** Rules of single files, by what they say. */
export const allRules: { readonly [name: string]: Rule } = {
  'a file imports lower rooms and its own only': ({ path, imports }) => {
    const own = roomOf(path);
    return imports.flatMap((specifier) => {
      const target = resolve(path, specifier);
      if (target === null) return [];
      const room = roomOf(target);
      return room === own || ROOMS[own]?.includes(room) ? [] : [`${path} imports ${target}`];
    });
  },
  'imports name files as they are': ({ path, imports }) =>
    imports.flatMap((name) =>
      name.startsWith('.') && !name.endsWith('.ts') ? [`${path} imports ${name}`] : [],
    ),
  'a file has at most 250 lines': ({ path, text }) => {
    const lines = text.replace(/\n$/, '').split('\n').length;
    return lines > MAX_LINES ? [`${path}: ${lines} lines`] : [];
  },
  'only config.ts and the programs read the environment': ({ path, code }) =>
    // The tour is a program of its own; it hands the environment on to the server that it starts.
    !['src/config.ts', 'src/main.ts', 'src/keys.ts', 'src/demo/tour.ts'].includes(path) &&
    ENVIRONMENT.test(code)
      ? [path]
      : [],
  'names are in kebab-case': ({ path }) =>
    /^src\/(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(path) ? [] : [path],
  'no default exports': ({ path, code }) =>
    /\bexport\s+default\b|\bas\s+default\b/.test(code) ? [path] : [],
  'no any': ({ path, code }) =>
    /[:<,|&(]\s*any\b(?!\s*[:(.'])|\bas\s+any\b/.test(withoutStrings(code)) ? [path] : [],
  'no silenced compiler': ({ path, text }) =>
    /@ts-(?:ignore|expect-error|nocheck)/.test(text) ? [path] : [],
  'drizzle is loaded in one place': ({ path, code }) =>
    path !== 'src/store/drizzle.ts' &&
    /^\s*(?:import|export)(?!\s+type\b)[^'"`;]*\bfrom\s*['"]drizzle-orm/m.test(code)
      ? [path]
      : [],
  'no console': ({ path, code }) => (/\bconsole\s*\./.test(withoutStrings(code)) ? [path] : []),
};

const ROOT = join(import.meta.dirname, '../..');

/** Every TypeScript file below `src`. */
export function readSources(): readonly Source[] {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => posix.join('src', name))
    .map((path) => readSources.parse(path, readFileSync(join(ROOT, path), 'utf8')));
}

readSources.parse = (path: string, text: string): Source => {
  const code = withoutComments(text);
  const imports = Array.from(code.matchAll(IMPORT), ({ 1: a, 2: b, 3: c }) => a ?? b ?? c ?? '');
  return { path, text, code, imports };
};

/** `import … from '…'` and `export … from '…'` over any lines, `import '…'`, and `import('…')` of values and types. */
const IMPORT =
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"\n]+)['"]|^\s*import\s*['"]([^'"\n]+)['"]|\bimport\s*\(\s*['"]([^'"\n]+)['"]/gm;

const STRING = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/;

function withoutComments(text: string): string {
  const either = new RegExp(`(${STRING.source})|${COMMENT.source}`, 'g');
  return text.replace(either, (_, string: string | undefined) => string ?? ' ');
}

function withoutStrings(code: string): string {
  return code.replace(new RegExp(STRING.source, 'g'), "''");
}

/** `src/util/errors.ts` is in `util`, `src/app.ts` is `app`; what is outside of `src` is in no room. */
function roomOf(path: string): string {
  const [root, ...rest] = path.split('/');
  return root === 'src' ? (rest[0]?.replace(/\.ts$/, '') ?? '') : path;
}

/** The path of an imported file; null for a package. */
function resolve(from: string, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.join(dirname(from), specifier) : null;
}

/** Each cycle once, as the files along it. */
export function cycles(sources: readonly Source[]): readonly string[] {
  const graph = new Map(
    sources.map(({ path, imports }) => [path, imports.flatMap((name) => resolve(path, name) ?? [])]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path].join(' → '));
    if (at >= 0 || done.has(path)) return;
    for (const target of graph.get(path) ?? []) if (graph.has(target)) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}
