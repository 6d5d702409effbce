import { type Logger, pino, stdSerializers } from 'pino';

export type { Logger };

/** Log lines go to stderr, as JSON; stdout is for the few lines that a person or a program waits for. */
export function createLogger(level: string): Logger {
  const serializers = { error: stdSerializers.err };
  return pino({ level, base: null, serializers }, pino.destination({ dest: 2, sync: true }));
}
