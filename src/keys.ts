import { readStoreConfig, type StoreConfig } from './config.ts';
import { type Command, HELP, parseCommand } from './keys/command.ts';
import { toTable } from './keys/table.ts';
import { hashApiKey, newApiKey, newApiKeyId } from './protocol/api-keys.ts';
import { type Database, migrateDatabase, openDatabase } from './store/database.ts';
import { borrowEmbedded } from './store/embedded.ts';
import { insertKey, listKeys, revokeKey } from './store/keys.ts';
import { AppError } from './util/errors.ts';

// Answers go to stdout, so that programs can use them; words about them to stderr.
const tell = (words: string) => process.stderr.write(`${words}\n`);

try {
  const command = parseCommand(process.argv.slice(2), new Date());
  if (command.kind === 'help') process.stdout.write(HELP);
  else await withDatabase(readStoreConfig(process.env), (database) => run(command, database));
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  tell(error.message);
  process.exitCode = 1;
}

async function run(command: Exclude<Command, { kind: 'help' }>, database: Database): Promise<void> {
  switch (command.kind) {
    case 'create':
      return create(command, database);
    case 'list':
      process.stdout.write(toTable(await listKeys(database), new Date()));
      return;
    case 'revoke':
      if (!(await revokeKey(database, command.id)))
        throw new AppError('NOT_FOUND', `There is no key "${command.id}".`);
      tell(`${command.id} lets nobody in any more. What is connected with it is cut within ten seconds.`);
      return;
    default:
      return command satisfies never;
  }
}

async function create(
  { name, tenant, expiresAt }: Extract<Command, { kind: 'create' }>,
  database: Database,
): Promise<void> {
  const key = newApiKey();
  const id = newApiKeyId();
  await insertKey(database, { id, name, tenant, hash: hashApiKey(key), expiresAt });
  const end = expiresAt === null ? 'It does not expire.' : `It expires ${expiresAt.toISOString()}.`;
  tell(`${id} "${name}" for the tenant ${tenant}. ${end} The key is shown this once:`);
  process.stdout.write(`${key}\n`);
}

/** Works with the store of a server, whether that runs or not. */
async function withDatabase(
  { databaseUrl, dataDir }: StoreConfig,
  work: (database: Database) => Promise<void>,
): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const embedded = databaseUrl === null ? await borrowEmbedded(dataDir) : null;
  if (embedded !== null) parts.defer(() => embedded.stop());
  const url = embedded?.url ?? databaseUrl ?? '';
  await migrateDatabase(url);
  const database = openDatabase(url);
  parts.defer(() => database.close());
  await work(database);
}
