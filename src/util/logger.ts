import { type Logger, pino } from 'pino';

export type { Logger };

/** Log lines go to stderr, as JSON; stdout is for the few lines that a person or a program waits for. */
export function createLogger(level: string): Logger {
  return pino({ level, base: null }, pino.destination({ dest: 2, sync: true }));
}
