import { randomBytes } from 'node:crypto';
import {
  chown,
  link,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../util/errors.ts';
import { type Cluster, programFailed } from './cluster.ts';
import { SUPERUSER } from './lock.ts';
import { isAlive, outputOf, runLogged } from './process.ts';

/**
 * Makes the data folder of Postgres unless it is there, and returns the password of the superuser. The folder
 * appears complete or not at all: it is made under another name and then renamed. Of several processes that do
 * this at once, the first to rename wins and all return its password.
 */
export async function initialise(cluster: Cluster): Promise<string> {
  await removeStaleDrafts(cluster.dataDir);
  if (await isThere(join(cluster.folder, 'PG_VERSION'))) {
    await adopt(cluster);
  } else {
    await create(cluster);
  }
  return readPassword(cluster);
}

const DRAFT = 'postgres.init-';

async function create(cluster: Cluster): Promise<void> {
  const draft = await mkdtemp(join(cluster.dataDir, `${DRAFT}${process.pid}-`));
  try {
    await keepPassword(cluster, draft);
    const folder = await initdb(cluster, draft);
    await moveIntoPlace(folder, cluster.folder);
  } finally {
    await discard(draft);
  }
}

/** A password for the superuser, unless there is one already. The file is never there without its content. */
async function keepPassword({ passwordFile }: Cluster, draft: string): Promise<void> {
  const candidate = join(draft, 'new-password');
  await writeFile(candidate, randomBytes(24).toString('hex'), { mode: 0o600, flush: true });
  await link(candidate, passwordFile).catch(unless('EEXIST'));
}

async function readPassword({ passwordFile, folder }: Cluster): Promise<string> {
  const password = await readFile(passwordFile, 'utf8').catch(unless('ENOENT'));
  if (password !== undefined) return password.trim();
  throw new AppError(
    'START_FAILED',
    `${passwordFile} is missing, without which ${folder} cannot be opened: put it back, or set DATA_DIR to another folder or DATABASE_URL to a Postgres of your own.`,
  );
}

/** The same on every machine: UTF-8, ordered by code point, Unicode rules for letter case, UTC. */
async function initdb(cluster: Cluster, draft: string): Promise<string> {
  const { binaries, launcher, logFile } = cluster;
  const folder = join(draft, 'data');
  const passwordFile = join(draft, 'password');
  await writeFile(passwordFile, await readPassword(cluster), { mode: 0o600 });
  await own(cluster, [draft, passwordFile]);
  const command = [
    ...[binaries.initdb, '--pgdata', folder, '--username', SUPERUSER, '--pwfile', passwordFile],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-instructions'],
    ...['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
  ];
  const ending = await runLogged(launcher, command, logFile);
  if (ending.code !== 0) throw programFailed(cluster, ending);
  return folder;
}

async function moveIntoPlace(from: string, to: string): Promise<void> {
  await rmdir(to).catch(() => undefined); // an empty folder: Windows does not rename onto it
  try {
    await rename(from, to);
  } catch (cause) {
    if (await isThere(join(to, 'PG_VERSION'))) return; // another process was faster
    if (!(await isThere(to))) throw cause;
    throw new AppError(
      'START_FAILED',
      `${to} holds something else than a Postgres: move it away, or set DATA_DIR to another folder or DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  }
}

/** A data folder that root has copied belongs to root; Postgres insists on its own. */
async function adopt({ folder, launcher: { account } }: Cluster): Promise<void> {
  if (account === undefined || (await stat(folder)).uid === account.uid) return;
  await outputOf(['chown', '-R', `${account.uid}:${account.gid}`, folder]);
}

async function own({ launcher: { account } }: Cluster, paths: readonly string[]): Promise<void> {
  if (account !== undefined) await Promise.all(paths.map((path) => chown(path, account.uid, account.gid)));
}

/** What a process left that was killed while it made a data folder. */
async function removeStaleDrafts(dataDir: string): Promise<void> {
  const drafts = (await readdir(dataDir)).filter((name) => name.startsWith(DRAFT));
  for (const draft of drafts.map((name) => join(dataDir, name))) {
    if (await isStale(draft)) await discard(draft);
  }
}

async function isStale(draft: string): Promise<boolean> {
  const pid = Number(/-(\d+)-[^-]*$/.exec(draft)?.[1]);
  if (pid !== process.pid) return !isAlive(pid);
  // In a container every process may get the same id; one that was made before this process began is not ours.
  const made = await stat(draft).catch(unless('ENOENT'));
  return made !== undefined && made.mtimeMs < performance.timeOrigin;
}

/** An initdb may outlive the process that started it and write for a moment more. What stays, the next start removes. */
async function discard(draft: string): Promise<void> {
  await rm(draft, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 }).catch(() => undefined);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(unless('ENOENT'))) !== undefined;
}

/** For `catch`: lets one error of the file system pass as undefined. */
function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && error.code === code)) throw error;
  };
}
