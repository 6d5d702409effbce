import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../util/errors.ts';
import { type Launcher, outputOf } from './process.ts';

/** A user of this machine that Postgres can run as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** `folder` is the data folder of Postgres, which need not exist; `paths` is what its user has to get at. */
export interface Needs {
  readonly folder: string;
  readonly paths: readonly string[];
  readonly postgres: string;
}

/**
 * How to run the programs. Postgres refuses root, so for root: as the owner of the data folder, else as the user
 * `postgres`, which is made if missing. Throws START_FAILED when that user cannot get at all `paths`.
 */
export async function chooseLauncher(needs: Needs): Promise<Launcher> {
  if (process.geteuid?.() !== 0) return { account: undefined, prefix: [] };
  const account = (await ownerOf(needs.folder)) ?? (await systemAccount());
  const closed = await closedFolder(account, needs.paths);
  if (closed === undefined) return { account, prefix: [] };
  for (const capability of ['dac_read_search', 'dac_override']) {
    const prefix = withCapability(account, capability);
    if ((await outputOf([...prefix, needs.postgres, '--version'])) !== undefined) return { account, prefix };
  }
  throw new AppError(
    'START_FAILED',
    `Postgres refuses to run as root, and ${closed} is closed to the user ${account.name} that it would run as: run "chmod o+x ${closed}", or set DATA_DIR to a folder elsewhere or DATABASE_URL to a Postgres of your own.`,
  );
}

async function ownerOf(folder: string): Promise<Account | undefined> {
  const owner = await stat(folder).catch(() => undefined);
  if (owner === undefined || owner.uid === 0) return undefined;
  return { name: `with the id ${owner.uid}`, uid: owner.uid, gid: owner.gid };
}

async function systemAccount(): Promise<Account> {
  const known = await lookUp('postgres');
  if (known !== undefined) return known;
  await outputOf(['groupadd', '--system', 'postgres']);
  await outputOf([
    ...['useradd', '--system', '--gid', 'postgres', '--no-create-home', '--home-dir', '/nonexistent'],
    ...['--shell', '/usr/sbin/nologin', 'postgres'],
  ]);
  const account = (await lookUp('postgres')) ?? (await lookUp('nobody'));
  if (account !== undefined) return account;
  throw new AppError(
    'START_FAILED',
    'Postgres refuses to run as root, and this machine has no user "postgres" or "nobody" to run it as: start the server as another user, or set DATABASE_URL to a Postgres of your own.',
  );
}

async function lookUp(name: string): Promise<Account | undefined> {
  const [uid, gid] = await Promise.all([outputOf(['id', '-u', name]), outputOf(['id', '-g', name])]);
  // `>>> 0`: macOS calls the id of nobody -2
  return uid === undefined || gid === undefined
    ? undefined
    : { name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
}

/** The first folder on the way to one of `paths` that `account` may not enter, going by its mode. */
async function closedFolder(account: Account, paths: readonly string[]): Promise<string | undefined> {
  for (const folder of new Set(paths.flatMap(withAncestors))) {
    const { uid, gid, mode } = await stat(folder);
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    if (((mode >> shift) & 1) === 0) return folder;
  }
  return undefined;
}

function withAncestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...withAncestors(parent), path];
}

/**
 * Runs a program as `account` with one capability left: to pass closed folders. Without `no_setuid_fixup` the
 * kernel leaves capabilities aside in access(2), by which the programs of Postgres look for each other.
 */
function withCapability({ uid, gid }: Account, capability: string): string[] {
  return [
    ...['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
    ...[`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`, '--securebits=+no_setuid_fixup', '--'],
  ];
}
