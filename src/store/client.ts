/** What every connection of this program is opened with. */
export const CONNECTION = {
  application_name: 'responses-graphql',
  statement_timeout: 30_000,
  jit: 'off',
} as const;

/**
 * By default the client asks for the types of arrays on every new connection, with nobody to catch what that throws
 * if it breaks meanwhile: the process would die of it.
 */
export const CLIENT = { connect_timeout: 5, onnotice: () => {}, fetch_types: false } as const;

/** The arrays that our statements take, by the numbers that Postgres has for their types. None comes back. */
export const ARRAYS = Object.fromEntries(
  Object.entries({ text: 1009, int: 1007 }).map(([name, to]) => [
    name,
    { to, from: [], serialize: toArrayLiteral, parse: (text: string) => text },
  ]),
);

/** Text in the place of an array, as Postgres reads it. */
function toArrayLiteral(values: readonly unknown[]): string {
  return `{${values.map((value) => (value === null || value === undefined ? 'null' : quoted(String(value)))).join()}}`;
}

/** Postgres takes a backslash as JSON does before a quote and itself, and before nothing else. */
function quoted(text: string): string {
  const isPlain = !CONTROL_CHARACTER.test(text) && text.isWellFormed();
  return isPlain ? JSON.stringify(text) : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const CONTROL_CHARACTER = /[\u0000-\u001f]/;

/**
 * Between two tries to connect, in seconds. The client's own pauses grow to 20, in which a database that is back
 * would see our lease run out.
 */
export const backoff = (tries: number) => Math.min(0.05 * 2 ** tries, 0.5);
