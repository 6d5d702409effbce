import { withoutSecrets } from './secrets.ts';

/** What an error says beside its message that is nobody's data: codes, and where on the network it happened. */
const FACTS = ['code', 'status', 'errno', 'syscall', 'hostname', 'address', 'port', 'severity', 'routine'];

/** Causes of causes, and the parts of an error of several, are followed so far. */
const MAX_DEPTH = 6;
const MAX_PARTS = 5;

/** Longer messages quote something. */
const MAX_MESSAGE = 2000;
const MAX_STACK = 8000;

/**
 * An error as a log may keep it. Clients put much into theirs: headers with keys, commands with passwords, whole
 * requests; so only what is known to be harmless is taken. The messages of failed queries hold every parameter, and
 * what Postgres adds in `detail` may hold whole rows: prompts, in short. Of those only the cause and the beginning of
 * the query are kept.
 */
export function toLogged(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === 'object' ? typeOf(error) : error;
  if (depth === MAX_DEPTH) return error.name;
  const cause = error.cause === undefined ? {} : { cause: toLogged(error.cause, depth + 1) };
  if ('params' in error) {
    const query = 'query' in error ? String(error.query).slice(0, 200) : '';
    return { type: error.name, query, ...cause };
  }
  const facts = FACTS.flatMap((name) => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === 'string' || typeof value === 'number' ? [[name, value] as const] : [];
  });
  const parts =
    error instanceof AggregateError
      ? { errors: error.errors.slice(0, MAX_PARTS).map((part: unknown) => toLogged(part, depth + 1)) }
      : {};
  return {
    type: error.name,
    // Cut after that: half a secret would not be known again.
    message: withoutSecrets(error.message).slice(0, MAX_MESSAGE),
    ...Object.fromEntries(facts),
    stack: withoutSecrets(error.stack ?? '').slice(0, MAX_STACK),
    ...cause,
    ...parts,
  };
}

/** Of what is no error only its kind: nobody knows what it holds. */
function typeOf(value: object | null): string {
  return value === null ? 'null' : `something thrown: ${value.constructor?.name ?? 'an object'}`;
}
