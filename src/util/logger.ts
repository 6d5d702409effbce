import { type DestinationStream, type Logger, pino } from 'pino';
import { toLogged } from './logged-error.ts';
import { REDACTED } from './redaction.ts';
import { withoutSecrets } from './secrets.ts';

export type { Logger };

/** Where secrets stand, should anybody ever log what holds them. */
const SECRET_PLACES = ['authorization', 'cookie', 'headers', 'connectionParams', 'apiKey', 'password'];

/**
 * Log lines go to stderr, as JSON; stdout is for the few lines that a person or a program waits for. No line holds a
 * secret: places that are known to hold some are left out, and known values are replaced wherever they stand.
 */
export function createLogger(
  level: string,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: null,
      serializers: { error: toLogged },
      redact: { paths: SECRET_PLACES.flatMap((place) => [place, `*.${place}`]), censor: REDACTED },
      hooks: { streamWrite: withoutSecrets },
    },
    destination,
  );
}
