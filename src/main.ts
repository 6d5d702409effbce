import { startApp } from './app.ts';
import { secretsOf } from './config/secrets.ts';
import { readConfig } from './config.ts';
import { AppError } from './util/errors.ts';
import { createLogger } from './util/logger.ts';
import { keepSecret, withoutSecrets } from './util/secrets.ts';

const DEMO = `No OPENAI_BASE_URL and no OPENAI_API_KEY: the built-in demo model answers. It is not a language model. For a real one, e.g. Ollama: OPENAI_BASE_URL=http://127.0.0.1:11434/v1 DEFAULT_MODEL=llama3.2 npm start\n`;

/** Whoever signals again after this is in a hurry. In milliseconds. */
const AGAIN_MS = 1000;

/** The longest that a stop may take. In milliseconds. */
const STOP_LIMIT_MS = 29_000;

try {
  const config = readConfig(process.env);
  keepSecret(...secretsOf(config));
  const logger = createLogger(config.logLevel);
  // Node would print the error with all that hangs on it: whole requests, with their headers.
  process.on('uncaughtException', (error) => {
    logger.fatal({ error }, 'the process breaks off');
    process.exit(1);
  });
  const starting = startApp(config, logger);
  const stop = async () => {
    process.stdout.write('stopping\n');
    // Whatever hangs, a database for example, must not keep the process: the next start clears up.
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    const app = await starting.catch(() => null);
    if (app === null) return; // a start that fails ends by itself
    await app.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error }, 'the stop did not go well');
        process.exit(1);
      },
    );
  };
  // npm passes a signal on that the terminal has sent to us already: twice at once is still once.
  let stopping: number | null = null;
  const stopOnce = () => {
    if (stopping === null) void stop();
    else if (performance.now() - stopping > AGAIN_MS)
      void starting.then((app) => app.hurry()).catch(() => {}); // of a start that fails the catch below tells
    stopping ??= performance.now();
  };
  // Before the start is through: a process that dies in it would leave its Postgres behind.
  process.on('SIGINT', stopOnce);
  process.on('SIGTERM', stopOnce);
  watchNpm(() => {
    if (stopping === null) stopOnce();
  });
  const { url } = await starting;
  if (stopping === null) process.stdout.write(`${config.upstream === null ? DEMO : ''}listening on ${url}\n`);
} catch (error) {
  if (!(error instanceof AppError) || error.code !== 'START_FAILED') throw error;
  process.stderr.write(`${withoutSecrets(error.message)}\n`);
  process.exitCode = 1;
}

/**
 * Between npm and this process stands a shell, which dies of a signal sent to npm without passing it on. So a
 * server that npm started stops when its parent has gone.
 */
function watchNpm(onGone: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, 250).unref();
}
