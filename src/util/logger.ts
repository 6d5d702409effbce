import { type Logger, pino, stdSerializers } from 'pino';

export type { Logger };

/** Log lines go to stderr, as JSON; stdout is for the few lines that a person or a program waits for. */
export function createLogger(level: string): Logger {
  const serializers = { error: withoutData };
  return pino({ level, base: null, serializers }, pino.destination({ dest: 2, sync: true }));
}

/**
 * An error as a log may keep it. The messages of failed queries hold every parameter, and what Postgres adds in
 * `detail` may hold whole rows: prompts, in short. Of those only the cause and the beginning of the query are kept.
 */
function withoutData(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if ('params' in error) {
    const query = 'query' in error ? String(error.query).slice(0, 200) : '';
    return { type: error.name, query, cause: withoutData(error.cause) };
  }
  const {
    detail: _detail,
    where: _where,
    raw: _raw,
    ...rest
  } = stdSerializers.err(error) as Record<string, unknown>;
  return rest;
}
