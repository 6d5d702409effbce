import { createRedactor, withoutTokens } from './redaction.ts';

/**
 * The secrets of this process, by their values: what it was configured with, for as long as it lives. Whatever is
 * logged or printed goes through here last, so that no error, however deep it hides one, spreads it. Secrets that come
 * with a request live and are hidden where they are used.
 */
const known = new Set<string>();
let redact = createRedactor([]);

/** Shorter values are words: whoever replaced them would garble every line and hide nothing. */
const MIN_LENGTH = 8;

/** From now on these values are shown nowhere. */
export function keepSecret(...values: readonly string[]): void {
  const news = values.filter((value) => value.length >= MIN_LENGTH && !known.has(value));
  if (news.length === 0) return;
  for (const value of news) known.add(value);
  redact = createRedactor([...known]);
}

/** The text without the secrets of this process, and without what looks like one of anybody's. */
export function withoutSecrets(text: string): string {
  return withoutTokens(redact(text));
}

/**
 * What is secret in an address: its login as it stands and as it is meant, and every value of its query. Not a password
 * that is also the user's name, which is no secret, and whose name the lines need.
 */
export function secretsOfUrl(address: string): readonly string[] {
  const url = URL.parse(address);
  if (url === null) return [];
  const [user, password] = [plain(url.username), plain(url.password)];
  // A web address with a name alone has a token for it.
  const alone = /^https?:$/.test(url.protocol) ? [user] : [];
  const login = url.password === '' ? alone : [`${user}:${password}`];
  const own = password === user ? [] : [url.password, password];
  const inQuery = [...url.searchParams].filter(([name]) => !HARMLESS.test(name)).map(([, value]) => value);
  return [...login, ...own, ...inQuery].filter((value) => value !== '');
}

/** Parameters of Postgres, Redis and model servers that everybody may read. */
const HARMLESS = /^(ssl(mode)?|application_name|api-version|options|target_session_attrs|db|family)$/i;

/** As it is meant; as it stands, if that means nothing. */
function plain(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
