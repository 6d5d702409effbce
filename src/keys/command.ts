import { parseArgs } from 'node:util';
import { isTenant, TENANT_RULE } from '../protocol/scope.ts';
import { AppError, messageOf } from '../util/errors.ts';
import { parseExpiry } from './expiry.ts';

/** What the program is asked to do. */
export type Command =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'create';
      readonly name: string;
      readonly tenant: string;
      readonly expiresAt: Date | null;
    }
  | { readonly kind: 'list' }
  | { readonly kind: 'revoke'; readonly id: string };

export const HELP = `npm run keys -- create --name NAME [--tenant TENANT] [--expires WHEN]
npm run keys -- list
npm run keys -- revoke ID

create   makes a key and prints it, this once: only its hash is kept
  --name     what it is for, to tell keys apart
  --tenant   whose responses it sees: ${TENANT_RULE} (default: default)
  --expires  when it ends: 12h, 30d, or a date such as 2030-12-31 (default: never)
list     shows all keys: never the keys themselves
revoke   lets a key in no more; what is connected with it is cut within ten seconds

Keys count where the server runs with AUTH=keys. DATABASE_URL or DATA_DIR say where they are kept, as for the server,
which may be running or not. From a script: KEY=$(npm run -s keys -- create --name ci)
`;

const OPTIONS = {
  name: { type: 'string' },
  tenant: { type: 'string', default: 'default' },
  expires: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** @throws AppError INVALID_INPUT with one line for whoever typed this. */
export function parseCommand(given: readonly string[], now: Date): Command {
  const { values, positionals } = parse(given);
  const [word, id, ...more] = positionals;
  if (values.help || word === undefined || word === 'help') return { kind: 'help' };
  if (!isWord(word)) throw wrong(`There is no "${word}".`);
  if (more.length > 0 || (word !== 'revoke' && id !== undefined))
    throw wrong(`There is a word too many: "${more[0] ?? id}".`);
  const isBare =
    values.name === undefined && values.expires === undefined && values.tenant === OPTIONS.tenant.default;
  if (word !== 'create' && !isBare) throw wrong(`${word} takes no options.`);
  switch (word) {
    case 'create':
      return {
        kind: 'create',
        name: nameOf(values.name),
        tenant: tenantOf(values.tenant),
        expiresAt: expiryOf(values.expires, now),
      };
    case 'list':
      return { kind: 'list' };
    case 'revoke':
      if (id === undefined) throw wrong('revoke needs the id of a key: list shows it.');
      return { kind: 'revoke', id };
    default:
      return word satisfies never;
  }
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({ args: [...given], options: OPTIONS, allowPositionals: true });
  } catch (cause) {
    const [what = ''] = messageOf(cause).split('. To specify'); // how to pass what looks like an option: there is none
    throw wrong(`${what.replace(/\.$/, '')}.`, cause);
  }
}

const WORDS = ['create', 'list', 'revoke'] as const;

function isWord(word: string): word is (typeof WORDS)[number] {
  return WORDS.some((known) => known === word);
}

const MAX_NAME = 100;

function nameOf(name: string | undefined): string {
  // Without the first "--" npm keeps the name to itself.
  if (name === undefined) throw wrong('create needs --name, as in npm run keys -- create --name laptop.');
  // Names are shown in terminals.
  if (!/^[^\p{C}]+$/u.test(name) || name.trim() === '' || name.length > MAX_NAME)
    throw wrong(`--name must be 1 to ${MAX_NAME} visible characters.`);
  return name;
}

function tenantOf(tenant: string): string {
  if (!isTenant(tenant)) throw wrong(`--tenant must be ${TENANT_RULE}.`);
  return tenant;
}

function expiryOf(text: string | undefined, now: Date): Date | null {
  if (text === undefined) return null;
  const expiry = parseExpiry(text, now);
  if (expiry === null)
    throw wrong('--expires must be a time to come: 12h, 30d, or a date such as 2030-12-31.');
  return expiry;
}

function wrong(message: string, cause?: unknown): AppError {
  return new AppError('INVALID_INPUT', `${message} See npm run keys -- --help`, { cause });
}
