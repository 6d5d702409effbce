export const REDACTED = '[redacted]';

/** Of a longer form this much is enough: servers cut what they quote, and the expression has to stay small. */
const HEAD = 32;

/** What is shorter is looked for as the beginning of a base64 text only: further in, any few letters would be like it. */
const MIN_INNER = 8;

/**
 * A function that replaces these secrets in a text, whatever their case: as they are, and as a URL, a JSON string or
 * base64 has them. That removes plain echoes and no more: whoever wants to can always write a secret so that nobody
 * recognises it.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const heads = new Set<string>();
  const rests = new Map<string, string[]>(); // by head, in lower case: what comes behind it
  for (const form of new Set(secrets.flatMap(formsOf))) {
    const head = form.slice(0, HEAD);
    heads.add(head);
    const known = rests.get(head.toLowerCase());
    if (known === undefined) rests.set(head.toLowerCase(), [form.slice(HEAD)]);
    else known.push(form.slice(HEAD));
  }
  if (heads.size === 0) return (text) => text;
  // One pass for all of them. The longest first, so that no part of one is replaced in place of the whole.
  const alternatives = [...heads].sort((one, other) => other.length - one.length).map(literally);
  const pattern = new RegExp(alternatives.join('|'), 'gi');
  return (text) => {
    let safe = '';
    let done = 0;
    pattern.lastIndex = 0;
    for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
      safe += text.slice(done, found.index) + REDACTED;
      done = endOf(text, pattern.lastIndex, rests.get(found[0].toLowerCase()) ?? []);
      pattern.lastIndex = done;
    }
    return done === 0 ? text : safe + text.slice(done);
  };
}

/** Logins in addresses, bearer tokens and keys of the usual forms, whoever they belong to. */
export function withoutTokens(text: string): string {
  return text
    .replace(/([a-z][a-z\d+.-]{0,20}:\/\/)[^\s/?#"'<>@\\]{1,500}@/gi, `$1${REDACTED}@`)
    .replace(/\b(Bearer\s+)[\w.~+/=-]{8,}/gi, `$1${REDACTED}`)
    .replace(/\b(Basic\s+)[\w+/=-]{16,}/gi, `$1${REDACTED}`)
    .replace(/\bsk-[\w-]{12,}/g, REDACTED)
    .replace(/\beyJ[\w-]{8,400}\.[\w-]{4,4000}\.[\w-]{4,}/g, REDACTED);
}

function formsOf(secret: string): readonly string[] {
  if (secret === '') return [];
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, ''); // some leave the padding away
  const inJson = JSON.stringify(secret);
  const inUrl = encodeURIComponent(secret.toWellFormed());
  const inBase64 = [base64, ...(secret.length < MIN_INNER ? [] : innerBase64(secret))];
  return [
    secret,
    inUrl,
    new URLSearchParams([['', secret]]).toString().slice(1),
    inJson.slice(1, -1),
    JSON.stringify(inJson).slice(3, -3), // JSON in a string of JSON
    ...inBase64,
    ...inBase64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}

/** What base64 makes of it behind any number of bytes (none, one or two, but for threes) and before any others. */
function innerBase64(secret: string): readonly string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.from(`${' '.repeat(before)}${secret}`);
    const shared = before === 0 ? 0 : before + 1; // letters that tell of what stands before as well
    return bytes.toString('base64').slice(shared, Math.floor((bytes.length * 8) / 6));
  });
}

/**
 * Where what began as a secret stops being like it. Each of those that begin alike goes on where the one before it
 * stopped: this may cover a character more, but takes no time that grows with how many there are.
 */
function endOf(text: string, from: number, rests: readonly string[]): number {
  let length = 0;
  for (const rest of rests) {
    while (length < rest.length && isSame(text.charAt(from + length), rest.charAt(length))) length++;
  }
  return from + length;
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function isSame(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase();
}
